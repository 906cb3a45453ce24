use std::io::Write;

use s3inv_index_format::{FormatError, ReadAt, Reader};

use super::{Opened, print};
use crate::args::{ExportArgs, ExportFormat};
use crate::failure::Failure;
use crate::row::Row;

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let ExportFormat::Jsonl = args.format;
    let opened = Opened::new(&args.index.index)?;
    let mut damaged = None;
    print(|out| match jsonl(&opened.reader, out) {
        // An error of the index is not one of stdout.
        Err(Exporting::Index(error)) => {
            damaged = Some(error);
            Ok(())
        }
        Err(Exporting::Stdout(error)) => Err(error),
        Ok(()) => Ok(()),
    })?;
    damaged.map_or(Ok(()), |error| Err(opened.failure()(error)))
}

enum Exporting {
    Index(FormatError),
    Stdout(std::io::Error),
}

fn jsonl<R: ReadAt>(reader: &Reader<R>, mut out: &mut dyn Write) -> Result<(), Exporting> {
    let mut rows = reader.rows().map_err(Exporting::Index)?;
    while rows.advance().map_err(Exporting::Index)? {
        let stats = rows.stats();
        let row = Row::new(rows.key(), &stats);
        serde_json::to_writer(&mut out, &row).map_err(|error| Exporting::Stdout(error.into()))?;
        out.write_all(b"\n").map_err(Exporting::Stdout)?;
    }
    Ok(())
}
