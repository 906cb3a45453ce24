//! The statement that makes exported Parquet files a table of Athena.

use std::fmt::Write as _;

use s3inv::Info;

use super::columns::{Columns, PREFIX, PREFIX_B64};

/// What stands for the folder of the files until somebody says where that is.
const ANYWHERE: &str = "s3://BUCKET/FOLDER/";

/// `CREATE EXTERNAL TABLE` for the columns that an export of this index has. Files are found by the names of
/// their columns, so that those of several indexes can lie in one folder: a class that a file lacks is null.
pub(crate) fn ddl(info: &Info, location: Option<&str>) -> String {
    let bucket = info.origin.as_ref().map_or("s3", |origin| &origin.source_bucket);
    let mut statement = format!("CREATE EXTERNAL TABLE `{}_prefixes` (\n", identifier(bucket));
    let numbers = Columns::new(&info.schema).names();
    let numbers = numbers.iter().map(|name| (name.as_str(), "bigint"));
    let columns: Vec<_> =
        [(PREFIX, "string")].into_iter().chain(numbers).chain([(PREFIX_B64, "string")]).collect();
    for (nth, (name, kind)) in (1..).zip(&columns) {
        let comma = if nth < columns.len() { "," } else { "" };
        // Writing to a string can't fail. Athena makes names lower case, and finds them in any.
        let _ = writeln!(statement, "  `{}` {kind}{comma}", name.to_ascii_lowercase());
    }
    let location = location.unwrap_or(ANYWHERE);
    statement + &format!(")\nSTORED AS PARQUET\nLOCATION '{location}'\n")
}

/// A bucket's name as that of a table.
fn identifier(bucket: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    bucket.chars().map(plain).collect()
}
