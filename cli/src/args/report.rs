//! Arguments of `report`.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, which know no markup")]

use std::num::NonZeroUsize;

use clap::Args as ClapArgs;

use super::{LogArgs, PriceArgs, ScopeArgs};
use crate::limits;

/// Write one page of HTML about a prefix, for mail or a wiki
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index report --index my-bucket.s3inv --out my-bucket.html
  s3inv-index report --index tuesday.s3inv --older monday.s3inv \\
    --prefix logs/2024- --limit 10 > logs.html
  s3inv-index report --index s3://indexes/my-bucket/daily/ \\
    --out s3://reports/my-bucket.html

The page has storage classes, the cost a month, the largest directories and prefixes, ages and sizes, and \
what grew since an older index. It fetches nothing and runs no scripts. What the index doesn't know, it says.")]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// An index of before, to tell what grew: as --index
    #[arg(long, value_name = "PATH")]
    pub(crate) older: Option<String>,
    #[command(flatten)]
    pub(crate) prices: PriceArgs,
    /// How many lines a table has at most
    #[arg(short = 'n', long, value_name = "N", default_value = "20", value_parser = limits::parse_number)]
    pub(crate) limit: NonZeroUsize,
    /// Where to: a file, file:///path or s3://bucket/key, which is whole or not there [default: stdout]
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<String>,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}
