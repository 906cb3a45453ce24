use super::{Opened, print};
use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::text;

pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let opened = Opened::new(&args.index.index)?;
    s3inv_index_format::verify(&opened.reader, &mut |rows| {
        tracing::trace!(rows, "verified");
        Ok(())
    })
    .map_err(opened.failure())?;
    let prefixes = text::count(opened.reader.info().prefixes);
    print(|out| writeln!(out, "{}: {prefixes} prefixes, all checksums and sums hold", opened.name))
}
