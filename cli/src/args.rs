//! What can be said on the command line.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, which know no markup")]

mod export;
mod largest;
mod list;
mod manual;
mod report;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use s3inv_model::Measures;
use s3inv_pipeline::OnBadRow;

pub(crate) use export::{ExportArgs, ExportFormat};
pub(crate) use largest::{ByArg, DiffArgs, TopArgs};
pub(crate) use list::{LsArgs, PrefixArgs, ScopeArgs, Sort, TreeArgs, WhichArgs};
pub(crate) use manual::{CompletionsArgs, ManArgs};
pub(crate) use report::ReportArgs;

use crate::limits;

/// Turns an S3 Inventory into one compact index of per-prefix statistics, and asks it.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  s3inv-index demo
  s3inv-index build --out b.s3inv \\
    --s3-manifest s3://reports/b/daily/2025-05-13T01-00Z/manifest.json
  s3inv-index query --index b.s3inv --prefix logs/2024/ --show-tiers
  s3inv-index ls --index b.s3inv --prefix logs/ --human"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Build(BuildArgs),
    Query(QueryArgs),
    Ls(LsArgs),
    Tree(TreeArgs),
    Top(TopArgs),
    Diff(DiffArgs),
    Export(ExportArgs),
    Report(ReportArgs),
    Stat(StatArgs),
    Verify(VerifyArgs),
    Prices(PricesArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    pub(crate) fn logs(&self) -> LogArgs {
        match self {
            Self::Build(args) => args.logs,
            Self::Query(args) => args.answer.logs,
            Self::Ls(args) => args.table.answer.logs,
            Self::Tree(args) => args.table.answer.logs,
            Self::Top(args) => args.table.answer.logs,
            Self::Diff(args) => args.table.answer.logs,
            Self::Export(args) => args.logs,
            Self::Report(args) => args.logs,
            Self::Stat(args) => args.answer.logs,
            Self::Verify(args) => args.answer.logs,
            Self::Prices(args) => args.answer.logs,
            Self::Demo(_) | Self::Completions(_) | Self::Man(_) => {
                LogArgs { verbose: false, pretty_logs: true }
            }
        }
    }
}

/// How it speaks on stderr.
#[derive(ClapArgs, Clone, Copy)]
pub(crate) struct LogArgs {
    /// Log more
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Log for people instead of JSON, as on a terminal
    #[arg(long)]
    pub(crate) pretty_logs: bool,
}

/// Build the index of an S3 Inventory
///
/// Reads the inventory's manifest.json and its data files (CSV, ORC or Parquet) from S3 or from a local
/// copy, and writes one file. The destination holds a whole index or what was there before, whatever
/// happens; Ctrl-C ends it within a second and leaves nothing behind. S3 is reached as by every AWS
/// tool: credentials, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index build --out my-bucket.s3inv \\
    --s3-manifest s3://reports/my-bucket/daily/2025-05-13T01-00Z/manifest.json
  s3inv-index build --out s3://indexes/my-bucket.s3inv --timeout 1h \\
    --s3-manifest ./synced/my-bucket/daily/2025-05-13T01-00Z/manifest.json

Data files beside a local manifest, as after `aws s3 sync`, are looked for by their keys below its \
folder, and then below each folder above it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 124 out of time, 130 or 143 stopped by a signal.")]
pub(crate) struct BuildArgs {
    /// The inventory's manifest.json: s3://bucket/key, file:///path or a path
    #[arg(long, value_name = "URI")]
    pub(crate) s3_manifest: String,
    /// Where the index goes: a file, or a directory for `index.s3inv` in it
    #[arg(long, value_name = "PATH")]
    pub(crate) out: String,
    /// Computing threads [default: the processors it may use]
    #[arg(long, value_name = "N", value_parser = limits::parse_number)]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Count what is deeper in its ancestor at this depth
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<usize>,
    /// Memory to use, as 512MiB, 8GB or 1073741824, at least 16MiB [default: half of what there is]
    #[arg(long, value_name = "SIZE", value_parser = limits::parse_size, env = "S3INV_MEM_BUDGET")]
    pub(crate) mem_budget: Option<usize>,
    /// Where temporary files go [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Compare the MD5 of ORC and Parquet files too, which reads them twice (CSV's always is)
    #[arg(long)]
    pub(crate) verify_md5: bool,
    /// Add tables in which a prefix is found at once, for some 15 to 80 bytes a prefix more: one read of
    /// at most 8 KiB instead of one or two of a page and its directory
    #[arg(long)]
    pub(crate) lookup: bool,
    /// What to measure beside objects, bytes and classes: a list of cost, noncurrent, dates, age and size,
    /// or all, or none
    #[arg(long, value_name = "LIST", default_value = "all", value_hint = ValueHint::Other)]
    pub(crate) measures: Measures,
    /// What to do at a row that can't be read: `fail`, or `skip` it and count it by its reason
    #[arg(long, value_name = "ACTION", value_enum, default_value = "fail")]
    pub(crate) on_bad_row: BadRow,
    /// Give up after this long, as 90s, 30m or 1h
    #[arg(long, value_name = "DURATION", value_parser = limits::parse_duration)]
    pub(crate) timeout: Option<std::time::Duration>,
    /// Give up at this moment, as 2025-05-13T06:00:00Z
    #[arg(long, value_name = "RFC3339")]
    pub(crate) deadline: Option<jiff::Timestamp>,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

/// What happens at a row that can't be read.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadRow {
    /// The build ends with an error that names it
    Fail,
    /// It is counted by its reason
    Skip,
}

impl From<BadRow> for OnBadRow {
    fn from(action: BadRow) -> Self {
        match action {
            BadRow::Fail => Self::Fail,
            BadRow::Skip => Self::Skip,
        }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// How an answer comes.
#[derive(ClapArgs)]
pub(crate) struct AnswerArgs {
    /// How to write the answer
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

/// How a table comes, whose costs go by some prices.
#[derive(ClapArgs)]
pub(crate) struct TableArgs {
    #[command(flatten)]
    pub(crate) prices: PriceArgs,
    /// Show bytes in KiB, MiB, GiB, and counts with commas
    #[arg(long)]
    pub(crate) human: bool,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Show the objects and bytes below a prefix
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index query --index my-bucket.s3inv --prefix logs/2024/ --show-tiers
  s3inv-index query --index s3://indexes/my-bucket.s3inv --output json
  s3inv-index query --index my-bucket.s3inv --prefix logs/2024- --estimate-cost

`logs/2024/` has all that lies below it. `logs/2024-` is the sum of all directories that begin so; \
objects that begin so lie in `logs/`, and are not counted. If there is nothing, the exit code is 1.")]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Show each storage class and access tier
    #[arg(long)]
    pub(crate) show_tiers: bool,
    /// Show all that is known: classes, versions, dates, ages, sizes
    #[arg(long)]
    pub(crate) details: bool,
    /// Show bytes in KiB, MiB, GiB, and counts with commas
    #[arg(long)]
    pub(crate) human: bool,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// What it costs.
#[derive(ClapArgs)]
pub(crate) struct CostArgs {
    /// Show what the objects cost a month, by class: storage, minimum sizes, monitoring, archives' overhead
    #[arg(long)]
    pub(crate) estimate_cost: bool,
    /// Prices for --estimate-cost, as `prices --output json` prints them [default: those of us-east-1]
    #[arg(long, value_name = "FILE", requires = "estimate_cost")]
    pub(crate) price_table: Option<PathBuf>,
    /// Estimate as if the prefix were all that its account stores: what is beyond 50 TB and 500 TB of
    /// STANDARD, or of Intelligent-Tiering's frequent tier, costs less
    #[arg(long, requires = "estimate_cost")]
    pub(crate) volume_steps: bool,
}

/// What costs go by.
#[derive(ClapArgs)]
pub(crate) struct PriceArgs {
    /// Prices, as `prices --output json` prints them [default: those of us-east-1]
    #[arg(long, value_name = "FILE")]
    pub(crate) price_table: Option<PathBuf>,
}

/// Which index.
#[derive(ClapArgs)]
pub(crate) struct IndexArgs {
    /// The index: a file, file:///path or s3://bucket/key; or a directory, for the index that its
    /// `latest.json` names, or `index.s3inv`
    #[arg(long, value_name = "PATH")]
    pub(crate) index: String,
}

/// Describe an index: its inventory, rows, prefixes and storage classes
#[derive(ClapArgs)]
#[command(after_help = "\
Example:
  s3inv-index stat --index my-bucket.s3inv")]
pub(crate) struct StatArgs {
    #[command(flatten)]
    pub(crate) index: IndexArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Check every checksum and every sum of an index
#[derive(ClapArgs)]
#[command(after_help = "\
Example:
  s3inv-index verify --index my-bucket.s3inv

Reads all of it. The exit code is 1 if anything is wrong.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) index: IndexArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Show the prices that costs go by, everywhere
///
/// They are those of us-east-1. Where others hold, let it print them as JSON, write yours into it, and give the file
/// to --price-table: here, to see how it is understood, and wherever costs are told.
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index prices
  s3inv-index prices --output json > prices.json
  s3inv-index prices --price-table prices.json")]
pub(crate) struct PricesArgs {
    #[command(flatten)]
    pub(crate) prices: PriceArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Build an index from an inventory that comes with the program, and ask it
///
/// Needs no AWS and no files: the inventory lists the packages of a Debian release, with their real
/// paths and sizes.
#[derive(ClapArgs)]
#[command(after_help = "\
Example:
  s3inv-index demo --out demo.s3inv")]
pub(crate) struct DemoArgs {
    /// Keep the index here [default: a temporary place]
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<String>,
}
