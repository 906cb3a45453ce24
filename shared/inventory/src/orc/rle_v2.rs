//! The second run-length encoding of whole numbers ("Integer Run Length Encoding, version 2"): four
//! ways to write a run, told apart by the first two bits.

use super::bits::{closest_width, unpack, width_of};
use super::error::{Result, damaged};
use super::integers::{Run, Sign, zigzag};
use super::stream::Stream;

/// Decodes the next run.
pub(super) fn decode(stream: &mut Stream<'_>, sign: Sign, run: &mut Run) -> Result<()> {
    let head = stream.byte()?;
    if head >> 6 == 0 {
        return short_repeat(stream, head, sign, run);
    }
    let len = (usize::from(head & 1) << 8 | usize::from(stream.byte()?)) + 1;
    let code = head >> 1 & 31;
    match head >> 6 {
        1 => direct(stream, width_of(code), sign, run.begin(len)?),
        2 => patched_base(stream, width_of(code), run.begin(len)?),
        _ => delta(stream, if code == 0 { 0 } else { width_of(code) }, sign, run.begin(len)?),
    }
}

/// Three to ten times the same value.
fn short_repeat(stream: &mut Stream<'_>, head: u8, sign: Sign, run: &mut Run) -> Result<()> {
    let value = sign.of(big_endian(stream.slice(usize::from(head >> 3 & 7) + 1)?));
    run.begin(usize::from(head & 7) + 3)?.fill(value);
    Ok(())
}

/// Values of one width.
fn direct(stream: &mut Stream<'_>, width: u32, sign: Sign, run: &mut [i64]) -> Result<()> {
    match sign {
        Sign::Signed => unpack(stream, width, run, zigzag),
        Sign::Unsigned => unpack(stream, width, run, u64::cast_signed),
    }
}

/// Distances from the smallest value, of a width that most of them have; a list of patches holds the
/// upper bits of the others.
fn patched_base(stream: &mut Stream<'_>, width: u32, run: &mut [i64]) -> Result<()> {
    let (third, fourth) = (stream.byte()?, stream.byte()?);
    let base = sign_and_magnitude(stream.slice(usize::from(third >> 5) + 1)?);
    unpack(stream, width, run, u64::cast_signed)?;
    let patch_width = width_of(third & 31);
    let entry_width = patch_width + u32::from(fourth >> 5) + 1;
    if entry_width > 64 {
        return Err(damaged(format!("a patch of {entry_width} bits")));
    }
    let mut entries = [0i64; 31];
    let entries = entries.get_mut(..usize::from(fourth & 31)).unwrap_or_default();
    unpack(stream, closest_width(entry_width), entries, u64::cast_signed)?;
    let mut at = 0;
    for entry in entries.iter().map(|entry| entry.cast_unsigned()) {
        at = usize::saturating_add(at, (entry >> patch_width) as usize);
        patch(run, at, width, entry & ((1 << patch_width) - 1))?;
    }
    for value in run {
        *value = value.wrapping_add(base);
    }
    Ok(())
}

/// Sets the bits from `width` on of the value at `at`.
fn patch(run: &mut [i64], at: usize, width: u32, bits: u64) -> Result<()> {
    // An empty one bridges a gap that is too long for one entry.
    if bits == 0 {
        return Ok(());
    }
    if width > bits.leading_zeros() {
        return Err(damaged("a patch of more than 64 bits"));
    }
    let value = run.get_mut(at).ok_or_else(|| damaged("a patch behind its run"))?;
    *value |= (bits << width).cast_signed();
    Ok(())
}

/// A first value, and the steps to the next ones: all alike where `width` is 0, else all up or all down.
fn delta(stream: &mut Stream<'_>, width: u32, sign: Sign, run: &mut [i64]) -> Result<()> {
    let mut value = sign.of(stream.varint()?);
    let step = zigzag(stream.varint()?);
    if width == 0 {
        for to in run {
            *to = value;
            value = value.wrapping_add(step);
        }
        return Ok(());
    }
    let Some((first, rest)) = run.split_first_mut() else { return Ok(()) };
    *first = value;
    let Some((second, rest)) = rest.split_first_mut() else { return Ok(()) };
    value = value.wrapping_add(step);
    *second = value;
    unpack(stream, width, rest, |step_size| {
        let step_size = step_size.cast_signed();
        value = if step < 0 { value.wrapping_sub(step_size) } else { value.wrapping_add(step_size) };
        value
    })
}

/// A number of at most eight bytes.
fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A number of at most eight bytes, of which the first bit is the sign.
fn sign_and_magnitude(bytes: &[u8]) -> i64 {
    let number = big_endian(bytes);
    let sign = 1 << (bytes.len().clamp(1, 8) * 8 - 1);
    let magnitude = (number & !sign).cast_signed();
    if number & sign == 0 { magnitude } else { -magnitude }
}
