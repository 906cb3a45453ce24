//! Of the commands that tell where most is, and where it has changed.

use std::num::NonZeroUsize;

use clap::{Args as ClapArgs, ValueEnum};
use s3inv::By;

use super::{PrefixArgs, ScopeArgs, TableArgs};
use crate::limits;

/// What prefixes are compared by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    /// Bytes of current objects
    Bytes,
    /// Current objects
    Objects,
    /// What all versions cost a month
    Cost,
    /// Bytes of noncurrent objects
    Noncurrent,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Bytes => Self::Bytes,
            ByArg::Objects => Self::Objects,
            ByArg::Cost => Self::Cost,
            ByArg::Noncurrent => Self::Noncurrent,
        }
    }
}

/// Show where most is: the largest prefixes at any depth
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index top --index my-bucket.s3inv -n 20 --human
  s3inv-index top --index s3://indexes/my-bucket/daily/ --prefix logs/2024- \\
    --by noncurrent --output json

A prefix counts for what is in it, but in none of the prefixes below it that are shown. So nothing is \
counted twice, and a prefix isn't shown beside the one below it that has most of it. Those are shown \
that count for some threshold or more, the least one at which they are no more than N. The last lines \
are what is in none of them, and the total.")]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// How many to show at most
    #[arg(short = 'n', long, value_name = "N", default_value = "20", value_parser = limits::parse_number)]
    pub(crate) limit: NonZeroUsize,
    /// What makes them large [default: bytes, or objects where the inventory has no sizes]
    #[arg(long, value_enum)]
    pub(crate) by: Option<ByArg>,
    /// Count all that is in a prefix, also what is in one below it that is shown too
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// Show what grew and shrank between two indexes, what came and what went
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index diff monday.s3inv tuesday.s3inv --human
  s3inv-index diff --prefix logs/ --depth 2 \\
    s3://indexes/b/daily/2025-05-12T01-00Z.s3inv s3://indexes/b/daily/

The prefix is divided into what is N levels below it, and what lies directly in prefixes that aren't so \
deep. Of these parts, those that changed most are shown, be it more or less. All differences add up to \
the first line's. Pages that the two indexes share aren't read.")]
pub(crate) struct DiffArgs {
    /// The index of before: as --index of other commands
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The index of now
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    #[command(flatten)]
    pub(crate) prefix: PrefixArgs,
    /// How many levels below the prefix to compare
    #[arg(long, value_name = "N", default_value = "1", value_parser = limits::parse_levels)]
    pub(crate) depth: usize,
    /// How many changes to show at most; with 0 there is the total, and how many there are
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    pub(crate) limit: usize,
    /// What has changed most [default: bytes, or objects where one of the inventories has no sizes]
    #[arg(long, value_enum)]
    pub(crate) by: Option<ByArg>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}
