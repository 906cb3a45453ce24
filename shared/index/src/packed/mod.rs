//! Pages of what is kept, as small as they get without being slow to read: a page is read whole.
//!
//! Three things make them small. A prefix whose parent is a row of the same page says only its name, and
//! where the parent is. A row says only what lies in the prefix itself, if its children are in the page: they
//! are added again. And numbers are split into symbols, which zstd makes short, and into bits that are
//! anybody's guess, which nothing does.

mod bits;
mod build;
mod groups;
mod masks;
mod names;
mod number;
mod read;
mod streams;
mod sums;

pub(crate) use build::PackedBuilder;
#[cfg(test)]
pub(crate) use number::split;
pub(crate) use read::PackedRows;

use s3inv_model::BinId;

use crate::page::Shape;

/// What stands from one place to another.
fn slice<T>(of: &[T], (from, end): (u32, u32)) -> Option<&[T]> {
    of.get(from as usize..end as usize)
}

/// Turns the number of cells that each place has into where its columns begin; the result is how many there
/// are, and how many of them have bytes.
fn columns(columns: &mut [(u32, u32)], bins: &[BinId], shape: Shape) -> (usize, usize) {
    let (mut objects, mut bytes) = (0, 0);
    for (column, &bin) in columns.iter_mut().zip(bins) {
        let count = column.0;
        *column = (objects, bytes);
        objects += count;
        bytes += if shape.has_bytes(bin) { count } else { 0 };
    }
    (objects as usize, bytes as usize)
}
