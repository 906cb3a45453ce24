use super::{failed, open, print};
use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::text;

pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let index = open(&args.index.index)?;
    s3inv_index_format::verify(index.reader(), &mut |rows| {
        tracing::trace!(rows, "verified");
        Ok(())
    })
    .map_err(failed(&index))?;
    let prefixes = text::count(index.prefixes());
    print(|out| writeln!(out, "{}: {prefixes} prefixes, all checksums and sums hold", index.name()))
}
