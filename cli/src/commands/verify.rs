use serde::Serialize;

use super::{failed, open, print};
use crate::args::{Output, VerifyArgs};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::text;

/// What is said of an index in which nothing is wrong.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    prefixes: u64,
    verified: bool,
}

pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let index = open(&args.index.index)?;
    s3inv_index_format::verify(index.reader(), &mut |rows| {
        tracing::trace!(rows, "verified");
        Ok(())
    })
    .map_err(failed(&index))?;
    let answer = Answer { heading: Heading::new(&index), prefixes: index.prefixes(), verified: true };
    print(|out| match args.answer.output {
        Output::Text => {
            let (heading, prefixes) = (&answer.heading, text::count(answer.prefixes));
            writeln!(out, "{}: {prefixes} prefixes, all checksums and sums hold", heading.index)?;
            write!(out, "{}", heading.lines())
        }
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer)?),
    })
}
