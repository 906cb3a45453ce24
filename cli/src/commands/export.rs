use std::io::Write;

use s3inv::{ReadAt, Reader};

use super::{Answering, answer, open};
use crate::args::{ExportArgs, ExportFormat};
use crate::failure::Failure;
use crate::row::Row;

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let ExportFormat::Jsonl = args.format;
    let index = open(&args.index.index)?;
    answer(&index, |out| jsonl(index.reader(), out))
}

fn jsonl<R: ReadAt>(reader: &Reader<R>, mut out: &mut dyn Write) -> Result<(), Answering> {
    let mut rows = reader.rows()?;
    while rows.advance()? {
        let stats = rows.stats();
        let row = Row::new(rows.key(), &stats);
        serde_json::to_writer(&mut out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
