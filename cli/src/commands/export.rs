use std::io::{self, IsTerminal as _};

use s3inv::{Index, Scope};
use s3inv_cancel::Cancellation;

use super::{failed, not_found, note_of, open, print};
use crate::args::{ExportArgs, ExportFormat};
use crate::export::{Exporting, Output, Rows, Sink, ddl, write};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::limits;
use crate::text;

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let Some(format) = args.format else {
        let index = open(&args.scope.index.index)?;
        return print(|out| write!(out, "{}", ddl(index.info(), args.location.as_deref())));
    };
    let output = Output::new(args.out.as_deref())?;
    if matches!(output, Output::Stdout) && format.is_binary() && io::stdout().is_terminal() {
        let text = "stdout is a terminal, and this is no text: give --out a file";
        return Err(Failure::Other(text.to_owned()));
    }
    let scope = args.scope.prefix.scope();
    let partial = note_of(&scope);
    if args.depth == Some(0) && partial.is_some() {
        let prefix = text::name(scope.text());
        return Err(Failure::Other(format!("--depth 0: {prefix}* has no row of its own: take --depth 1")));
    }
    let index = open(&args.scope.index.index)?;
    output.spares(&index)?;
    let asked = Asked { index: index.clone(), format, scope, depth: args.depth };
    let prefixes = output.take("export", move |out, cancellation| {
        asked.write(out, cancellation).map_err(|error| match error {
            Exporting::Index(error) => Exporting::Failed(failed(&asked.index)(error)),
            error => error,
        })
    })?;
    // Who closed stdout doesn't ask what else there was.
    if let Some(prefixes) = prefixes {
        summarise(&index, partial.as_deref(), prefixes);
    }
    Ok(())
}

struct Asked {
    index: Index,
    format: ExportFormat,
    scope: Scope,
    depth: Option<usize>,
}

impl Asked {
    fn write(&self, out: Sink<'_>, cancellation: &Cancellation) -> Result<u64, Exporting> {
        let rows = Rows::new(&self.index, self.scope.clone(), self.depth, cancellation)?;
        let mut rows = rows.ok_or_else(|| Exporting::Failed(not_found(&self.index, &self.scope)))?;
        write(self.format, &mut rows, out)
    }
}

fn summarise(index: &Index, note: Option<&str>, prefixes: u64) {
    let heading = Heading::new(index);
    tracing::info!(
        index = heading.index,
        bucket = heading.bucket,
        snapshot = heading.snapshot,
        age = heading.age(),
        skipped_rows = heading.skipped_rows,
        prefixes,
        note,
        peak_memory_bytes = limits::peak_memory(),
        "export complete"
    );
}
