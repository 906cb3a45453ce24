//! Comma-separated values: a header, then a line a prefix, quoted where RFC 4180 has it.

use std::io;

use s3inv::ReadAt;

use super::columns::{Columns, PREFIX, PREFIX_B64};
use super::{Exporting, Rows, Sink};
use crate::row::Key;

pub(super) fn write<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    let columns = Columns::new(&rows.info().schema);
    let mut csv = csv::Writer::from_writer(out);
    let names = columns.names();
    let names = names.iter().map(String::as_str);
    csv.write_record([PREFIX].into_iter().chain(names).chain([PREFIX_B64]))?;
    let (mut count, mut numbers) = (0, Vec::new());
    while rows.advance()? {
        columns.numbers(rows.key(), &rows.stats(), &mut numbers);
        record(&mut csv, rows.key(), &numbers)?;
        count += 1;
    }
    csv.flush()?;
    Ok(count)
}

fn record(csv: &mut csv::Writer<Sink<'_>>, key: &[u8], numbers: &[u64]) -> csv::Result<()> {
    let Key { prefix, prefix_b64 } = Key::new(key);
    csv.write_field(prefix.unwrap_or_default())?;
    numbers.iter().try_for_each(|number| csv.write_field(number.to_string()))?;
    csv.write_field(prefix_b64.unwrap_or_default())?;
    csv.write_record(None::<&[u8]>)
}

impl From<csv::Error> for Exporting {
    fn from(error: csv::Error) -> Self {
        Self::Output(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}
