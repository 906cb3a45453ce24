use std::os::unix::ffi::OsStrExt as _;

use s3inv::{Index, Location, Scope};
use s3inv_cancel::Cancellation;
use s3inv_index_format::Origin;

use super::{failed, not_found, open, print};
use crate::args::{ExportArgs, ExportFormat};
use crate::export::{Exporting, Output, Rows, Sink, ddl, write};
use crate::failure::Failure;
use crate::{limits, text};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let index = open(&args.index.index)?;
    let Some(format) = args.format else {
        return print(|out| write!(out, "{}", ddl(index.info(), args.location.as_deref())));
    };
    let output = match &args.out {
        Some(out) => Output::Object(Location::parse(out)?),
        None => Output::Stdout,
    };
    let asked = Asked { format, scope: Scope::new(args.prefix.as_bytes()), depth: args.depth };
    let (name, origin) = (index.name().to_owned(), index.info().origin.clone());
    let prefixes = output.take(move |out, cancellation| {
        let exported = asked.write(&index, out, cancellation);
        exported.map_err(|error| match error {
            Exporting::Index(error) => Exporting::Failed(failed(&index)(error)),
            error => error,
        })
    })?;
    // Who closed stdout doesn't ask what else there was.
    if let Some(prefixes) = prefixes {
        summarise(&name, origin.as_ref(), prefixes);
    }
    Ok(())
}

struct Asked {
    format: ExportFormat,
    scope: Scope,
    depth: Option<usize>,
}

impl Asked {
    fn write(&self, index: &Index, out: Sink<'_>, cancellation: &Cancellation) -> Result<u64, Exporting> {
        let rows = Rows::new(index.reader(), self.scope.clone(), self.depth, cancellation)?;
        let mut rows = rows.ok_or_else(|| Exporting::Failed(not_found(index, self.scope.text())))?;
        write(self.format, &mut rows, out)
    }
}

fn summarise(index: &str, origin: Option<&Origin>, prefixes: u64) {
    tracing::info!(
        index,
        bucket = origin.map(|origin| origin.source_bucket.as_str()),
        snapshot = origin.map(|origin| text::moment(origin.snapshot_ms)),
        age = origin.map(|origin| text::age(origin.snapshot_ms)),
        prefixes,
        peak_memory_bytes = limits::peak_memory(),
        "export complete"
    );
}
