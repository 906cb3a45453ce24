use std::os::unix::ffi::OsStrExt as _;

use s3inv::{Location, Scope};
use s3inv_cancel::Cancellation;
use s3inv_index_format::Origin;

use super::query::not_found;
use super::{Opened, print};
use crate::args::{ExportArgs, ExportFormat};
use crate::export::{Exporting, Output, Rows, Sink, ddl, write};
use crate::failure::Failure;
use crate::{limits, text};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let opened = Opened::new(&args.index.index)?;
    let Some(format) = args.format else {
        return print(|out| write!(out, "{}", ddl(opened.reader.info(), args.location.as_deref())));
    };
    let output = match &args.out {
        Some(out) => Output::Object(Location::parse(out)?),
        None => Output::Stdout,
    };
    let asked = Asked { format, scope: Scope::new(args.prefix.as_bytes()), depth: args.depth };
    let (name, origin) = (opened.name.clone(), opened.reader.info().origin.clone());
    let prefixes = output.take(move |out, cancellation| {
        let exported = asked.write(&opened, out, cancellation);
        exported.map_err(|error| match error {
            Exporting::Index(error) => Exporting::Failed(opened.failure()(error)),
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
    fn write(&self, opened: &Opened, out: Sink<'_>, cancellation: &Cancellation) -> Result<u64, Exporting> {
        let rows = Rows::new(&opened.reader, self.scope.clone(), self.depth, cancellation)?;
        let mut rows = rows.ok_or_else(|| Exporting::Failed(not_found(opened, self.scope.text())))?;
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
