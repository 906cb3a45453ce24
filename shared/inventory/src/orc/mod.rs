//! ORC data files: of their columns only those that are needed, in bounded memory. Their keys are raw.
//!
//! Written from the specification, <https://orc.apache.org/specification/ORCv1/>. A file ends with its
//! footer, which tells the columns' types and where the stripes are; a stripe ends with its own, which
//! tells where its streams are. A column is made of one to four streams: lengths, bytes, which rows are
//! null. Streams are cut into blocks that are compressed each by itself.
//!
//! It is no general reader: no nested columns, no decimals, no search by statistics.

#![deny(clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::indexing_slicing))]

mod bits;
mod booleans;
mod codec;
mod directory;
mod error;
mod integers;
mod present;
mod proto;
mod rle_v1;
mod rle_v2;
mod schema;
mod stream;
mod stripe;
mod tail;
mod texts;
mod values;

use crate::batch::Sink;
use crate::error::ReadError;
use crate::fields::Fields;
use crate::ranges::RangeRead;
use crate::reading::Reading;
use crate::rows::Rows;
use directory::Directory;
use error::{Result, damaged};
use schema::Columns;
use stream::MAX_BLOCK;
use stripe::StripeReader;
use tail::{StripeInfo, Tail};

/// How much memory reading may take, in bytes.
///
/// A stream holds a window, and a block of the length that the file says: 256 KiB mostly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is fetched of a stream at once, and held: of up to four streams a column.
    pub window: usize,
    /// What a block of a stream may decompress to; at most 8 MiB. Files with longer blocks can't be read.
    pub block: usize,
    /// The largest dictionary of a stripe's keys. Files with a larger one can't be read.
    pub key_dictionary: usize,
}

/// How much of a footer is fetched at once, where it doesn't come with the file's end. In bytes.
const FOOTER_WINDOW: usize = 1 << 20;

/// The fields that an ORC file has. Only its footer is read.
pub fn fields(file: &impl RangeRead) -> Result<Fields> {
    Tail::read(file, FOOTER_WINDOW, MAX_BLOCK)?.types.fields()
}

/// Reads the rows of an ORC file: of its columns only those that are needed, one stripe after another.
/// It must have the fields that `rows` are read with.
///
/// Failures of `file` come out as [`InputError::Io`](crate::InputError::Io).
pub fn read<R: RangeRead, S: Sink>(
    file: R,
    limits: Limits,
    rows: &mut Rows<'_, S>,
) -> std::result::Result<(), ReadError<S::Error>> {
    let file = OrcFile::open(file, limits)?;
    let columns = file.needed(rows.reading())?;
    rows.begin();
    for (nth, info) in file.stripes().iter().enumerate() {
        if rows.pass(info.rows) {
            continue;
        }
        let mut stripe = file.stripe(nth, &columns)?;
        while let Some(batch) = stripe.next_batch()? {
            batch.add_to(rows, Some(file.tail.rows))?;
        }
    }
    Ok(file.check_rows(rows.row())?)
}

/// An ORC file, of which the footer is read.
struct OrcFile<R> {
    reader: R,
    limits: Limits,
    tail: Tail,
}

impl<R: RangeRead> OrcFile<R> {
    /// Reads postscript and footer, and checks what they say about the file.
    fn open(reader: R, limits: Limits) -> Result<Self> {
        let tail = Tail::read(&reader, limits.window, limits.block)?;
        Ok(Self { reader, limits, tail })
    }

    /// The columns that are needed; others may be of any type.
    fn needed(&self, reading: &Reading) -> Result<Columns> {
        Columns::needed(&self.tail.types, reading)
    }

    /// The stripes, in the order of the file.
    fn stripes(&self) -> &[StripeInfo] {
        &self.tail.stripes
    }

    /// Opens a stripe by its place in [`OrcFile::stripes`]: reads its footer and its dictionaries.
    fn stripe(&self, nth: usize, columns: &Columns) -> Result<StripeReader<'_>> {
        let Some(info) = self.tail.stripes.get(nth) else {
            return Err(damaged(format!("stripe {} of {}", nth + 1, self.tail.stripes.len())));
        };
        let (ids, place): (Vec<u64>, _) = (columns.ids().chain([0]).collect(), (nth + 1, info.rows));
        Directory::read(&self.reader, self.tail.layout, info, &ids)
            .and_then(|directory| StripeReader::open(&directory, columns, self.limits.key_dictionary, place))
            .map_err(|error| error.within(format_args!("stripe {}", nth + 1)))
    }

    /// Checks how many rows have been read.
    fn check_rows(&self, read: u64) -> Result<()> {
        let said = self.tail.rows;
        if read == said { Ok(()) } else { Err(damaged(format!("{read} rows, but the footer says {said}"))) }
    }
}

#[cfg(test)]
mod tests;
