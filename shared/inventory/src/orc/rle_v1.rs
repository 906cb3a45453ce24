//! The first run-length encoding of whole numbers ("Integer Run Length Encoding, version 1").

use super::error::Result;
use super::integers::{Run, Sign};
use super::stream::Stream;

/// Decodes the next run: values with a common difference, or as they are.
pub(super) fn decode(stream: &mut Stream<'_>, sign: Sign, run: &mut Run) -> Result<()> {
    let control = stream.byte()?;
    if control < 128 {
        let delta = i64::from(stream.byte()?.cast_signed());
        let mut value = sign.of(stream.varint()?);
        for to in run.begin(usize::from(control) + 3)? {
            *to = value;
            value = value.wrapping_add(delta);
        }
        return Ok(());
    }
    for to in run.begin(256 - usize::from(control))? {
        *to = sign.of(stream.varint()?);
    }
    Ok(())
}
