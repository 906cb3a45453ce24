//! A JSON object a line: what `query --output json` says of a prefix.

use s3inv::ReadAt;

use super::{Exporting, Rows, Sink};
use crate::row::Row;

pub(super) fn write<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    let mut count = 0;
    while rows.advance()? {
        let stats = rows.stats();
        let row = Row::new(rows.key(), &stats);
        serde_json::to_writer(&mut *out, &row).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
        count += 1;
    }
    Ok(count)
}
