//! Of the commands that list prefixes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use s3inv::{Order, Pattern, Scope};

use super::{IndexArgs, TableArgs};
use crate::limits;

/// What of an index.
#[derive(ClapArgs)]
pub(crate) struct ScopeArgs {
    #[command(flatten)]
    pub(crate) index: IndexArgs,
    #[command(flatten)]
    pub(crate) prefix: PrefixArgs,
}

/// What of a bucket.
#[derive(ClapArgs)]
pub(crate) struct PrefixArgs {
    /// The prefix; one that doesn't end in `/` means all directories that begin so [default: the whole bucket]
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true, value_hint = ValueHint::Other)]
    pub(crate) prefix: OsString,
}

impl PrefixArgs {
    /// What is asked about.
    pub(crate) fn scope(&self) -> Scope {
        Scope::new(self.prefix.as_bytes())
    }
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// The most bytes
    Bytes,
    /// The most objects
    Objects,
    /// The highest cost
    Cost,
    /// What was modified last
    Newest,
    /// By parent, then by name
    Name,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Bytes => Self::Bytes,
            Sort::Objects => Self::Objects,
            Sort::Cost => Self::Cost,
            Sort::Newest => Self::Newest,
            Sort::Name => Self::Name,
        }
    }
}

/// Which prefixes, and in which order.
#[derive(ClapArgs)]
pub(crate) struct WhichArgs {
    /// What comes first [default: bytes, or objects where the inventory has no sizes]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) sort: Option<Sort>,
    /// Show only what has so many bytes, as 500MB or 1GiB
    #[arg(long, value_name = "SIZE", default_value = "0", hide_default_value = true, value_parser = limits::parse_bytes)]
    pub(crate) min_bytes: u64,
    /// Show only what has so many objects
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) min_objects: u64,
    /// Count only objects of this storage class
    #[arg(long, value_name = "CLASS", value_hint = ValueHint::Other)]
    pub(crate) class: Option<String>,
}

/// List what is in a prefix, the largest first
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index ls --index my-bucket.s3inv --prefix logs/ --human
  s3inv-index ls --index my-bucket.s3inv --prefix logs/2024- --depth 2 \\
    --min-bytes 1GiB --limit 20
  s3inv-index ls --index s3://indexes/my-bucket/daily/ --class GLACIER \\
    --match '*-backup' --output json

`logs/` lists the directories in it, what lies directly in it, and the total. `logs/2024-` lists all \
directories that begin so; objects that begin so lie in `logs/`, and are not among them.")]
pub(crate) struct LsArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// List what is up to so many levels below
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = limits::parse_levels)]
    pub(crate) depth: usize,
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    /// List no more than so many [default: all, which are kept in memory but for --sort name]
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// List only names like this, as '2024-*'; a pattern with a `/` in it is for whole prefixes
    #[arg(long = "match", value_name = "GLOB", value_hint = ValueHint::Other)]
    pub(crate) pattern: Option<Pattern>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// Show what is below a prefix as a tree, the largest first
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index tree --index my-bucket.s3inv --prefix logs/ --depth 3 --human
  s3inv-index tree --index my-bucket.s3inv --class GLACIER --sort cost \\
    --min-bytes 1GiB")]
pub(crate) struct TreeArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Show so many levels
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = limits::parse_levels)]
    pub(crate) depth: usize,
    /// Show so many children of each prefix
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}
