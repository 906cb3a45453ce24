//! Arguments of `export`.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, which know no markup")]

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

use super::{LogArgs, ScopeArgs};

/// What an export looks like.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A JSON object a line: what `query --output json` says of a prefix
    Jsonl,
    /// A table with a header: prefix, depth, objects, bytes, then objects and bytes of each class
    Csv,
    /// The same table for DuckDB, Athena and the like
    Parquet,
    /// What `ncdu -f` opens
    Ncdu,
    /// What `ncdu -f` of 2.6 and later opens without reading all of it
    NcduBinary,
}

impl ExportFormat {
    /// Whether it is nothing for a terminal.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::NcduBinary)
    }
}

/// Write every prefix with its objects and bytes, for other programs
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index export --index my-bucket.s3inv --format jsonl | \\
    jq -r 'select(.depth == 1) | .prefix'
  s3inv-index export --index my-bucket.s3inv --format csv --prefix logs/2024/ \\
    --depth 2 --out logs.csv
  s3inv-index export --index my-bucket.s3inv --format parquet \\
    --out s3://reports/sizes/my-bucket.parquet
  s3inv-index export --index my-bucket.s3inv --ddl \\
    --location s3://reports/sizes/
  s3inv-index export --index my-bucket.s3inv --format ncdu | ncdu -f -
  s3inv-index export --index my-bucket.s3inv --format ncdu-binary \\
    --out my-bucket.ncdu

Prefixes come by parent, then by name: the root first, all children of a prefix together; ncdu's come as \
it needs them. Objects and bytes are those of current versions, at any depth below.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// What to write
    #[arg(long, value_enum, required_unless_present = "ddl")]
    pub(crate) format: Option<ExportFormat>,
    /// How many levels below the prefix; 0 is the prefix alone, if it ends in `/` [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Where to: a file, file:///path or s3://bucket/key, which is whole or not there [default: stdout]
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<String>,
    /// Print the statement that makes Parquet exports of this index a table of Athena
    #[arg(long, conflicts_with_all = ["format", "out", "prefix", "depth"])]
    pub(crate) ddl: bool,
    /// The folder of those exports, for --ddl, as s3://bucket/folder/
    // What is required is not, beside what excludes it: so --format has to be excluded here too.
    #[arg(long, value_name = "URI", requires = "ddl", conflicts_with = "format", value_parser = parse_folder,
        value_hint = ValueHint::Other)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

/// A folder of S3 that can stand in a statement of SQL.
fn parse_folder(text: &str) -> Result<String, String> {
    let location = s3inv_store::Location::parse(text).map_err(|error| error.to_string())?;
    if !location.is_s3() || !text.ends_with('/') {
        return Err("not a folder of S3: write s3://bucket/folder/, with its last /".to_owned());
    }
    if text.contains(['\'', '\\', '\n']) {
        return Err("quotes, backslashes and ends of lines can't stand in the statement".to_owned());
    }
    Ok(text.to_owned())
}
