use jiff::Timestamp;
use s3inv_index_format::{FormatError, Info};
use s3inv_model::Cell;
use serde_json::json;

use super::{Opened, print};
use crate::args::{Output, StatArgs};
use crate::failure::Failure;
use crate::row::Row;
use crate::text;

pub(crate) fn stat(args: &StatArgs) -> Result<(), Failure> {
    let opened = Opened::new(&args.index.index)?;
    let info = opened.reader.info();
    let root = opened.reader.get(b"").map_err(opened.failure())?;
    let missing = || FormatError::Sums("the root is missing".to_owned());
    let root = root.ok_or_else(missing).map_err(opened.failure())?;
    let bytes = opened.reader.len();
    print(|out| match args.output {
        Output::Text => write!(out, "{}", describe(&opened.name, info, &root, bytes)),
        Output::Json => {
            let row = serde_json::to_value(Row::new(info, b"", &root))?;
            writeln!(
                out,
                "{}",
                json!({ "index": opened.name, "index_bytes": bytes, "info": info, "root": row })
            )
        }
    })
}

fn describe(name: &str, info: &Info, root: &[Cell], bytes: u64) -> String {
    let mut lines = vec![("Index", name.to_owned()), ("Size", text::bytes(bytes))];
    if let Some(origin) = &info.origin {
        lines.push(("Bucket", origin.source_bucket.clone()));
        lines.push(("Snapshot", moment(origin.snapshot_ms)));
        lines.push(("Data files", text::count(origin.data_files)));
    }
    lines.push(("Rows", text::count(info.counts.rows)));
    for (reason, rows) in &info.counts.excluded {
        lines.push(("Excluded", format!("{} {}", text::count(*rows), reason.name().replace('_', " "))));
    }
    let cut = info.max_depth.map(|depth| format!(", cut at depth {depth}")).unwrap_or_default();
    lines.push(("Prefixes", format!("{}, to depth {}{cut}", text::count(info.prefixes), info.depth)));
    for cell in root {
        let column = info.columns.get(usize::from(cell.column)).map_or("", |column| &column.name);
        let sums = format!("{} objects, {}", text::count(cell.objects), text::bytes(cell.bytes));
        lines.push(("Class", format!("{column}: {sums}")));
    }
    let line = |(label, value): (&str, String)| {
        let label = format!("{label}:");
        format!("{label:<12}{}\n", text::printable(&value))
    };
    lines.into_iter().map(line).collect()
}

fn moment(snapshot_ms: u64) -> String {
    let moment = i64::try_from(snapshot_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| format!("{snapshot_ms} ms after 1970"), |moment| moment.to_string())
}
