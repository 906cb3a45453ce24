//! Columns of texts.

use s3inv_model::prefix::MAX_KEY;

use super::error::{Result, damaged};
use super::integers::Integers;
use super::present::Present;
use super::stream::Stream;
use crate::batch::MAX_BATCH;
use crate::columns::Texts;
use crate::error::InputError;

/// A column of texts, each by itself or in a dictionary.
pub(super) struct TextColumn<'a> {
    present: Present<'a>,
    from: From<'a>,
    numbers: Vec<i64>,
}

enum From<'a> {
    Direct { lengths: Integers<'a>, data: Stream<'a> },
    Dictionary { indexes: Integers<'a>, words: Vec<(u32, u32)> },
}

impl<'a> TextColumn<'a> {
    pub(super) fn direct(present: Present<'a>, lengths: Integers<'a>, data: Stream<'a>) -> Self {
        Self { present, from: From::Direct { lengths, data }, numbers: Vec::new() }
    }

    pub(super) fn dictionary(present: Present<'a>, indexes: Integers<'a>, dictionary: Dictionary) -> Self {
        Self { present, from: From::Dictionary { indexes, words: dictionary.words }, numbers: Vec::new() }
    }

    pub(super) fn fill(&mut self, rows: usize, to: &mut Texts) -> Result<()> {
        let count = self.present.fill(rows)?;
        match &mut self.from {
            From::Direct { lengths, data } => {
                lengths.fill(count, &mut self.numbers).map_err(|error| error.within("length"))?;
                copy(&self.numbers, data, &mut to.bytes).map_err(|error| error.within("data"))?;
                let mut at = 0;
                let places = self.numbers.iter().map(|&len| {
                    let (start, len) = (at, len as usize);
                    at += len.min(MAX_KEY + 1) as u32;
                    (start, len)
                });
                self.present.spread(places, &mut to.cells);
            }
            From::Dictionary { indexes, words } => {
                indexes.fill(count, &mut self.numbers).map_err(|error| error.within("data"))?;
                check_indexes(&self.numbers, words.len()).map_err(|error| error.within("data"))?;
                let word = |&index: &i64| words.get(index as usize).copied().unwrap_or_default();
                let places = self.numbers.iter().map(word).map(|(start, len)| (start, len as usize));
                self.present.spread(places, &mut to.cells);
            }
        }
        Ok(())
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        self.present.ended()?;
        match &mut self.from {
            From::Direct { lengths, data } => {
                lengths.ended().map_err(|error| error.within("length"))?;
                bytes_ended(data).map_err(|error| error.within("data"))
            }
            From::Dictionary { indexes, .. } => indexes.ended().map_err(|error| error.within("data")),
        }
    }
}

/// Replaces `to` by the next texts, without what they have behind [`MAX_KEY`] and one byte more.
fn copy(lengths: &[i64], data: &mut Stream<'_>, to: &mut Vec<u8>) -> Result<()> {
    to.clear();
    if lengths.iter().all(|&len| usize::try_from(len).is_ok_and(|len| len <= MAX_KEY)) {
        return data.append(lengths.iter().sum::<i64>() as usize, to);
    }
    for &len in lengths {
        let len = length(len)?;
        let kept = len.min(MAX_KEY + 1);
        data.append(kept, to)?;
        data.skip((len - kept) as u64)?;
    }
    Ok(())
}

fn length(len: i64) -> Result<usize> {
    usize::try_from(len).map_err(|_| damaged(format!("a text of {} bytes", len.cast_unsigned())))
}

fn check_indexes(indexes: &[i64], words: usize) -> Result<()> {
    match indexes.iter().find(|&&index| usize::try_from(index).map_or(true, |index| index >= words)) {
        None => Ok(()),
        Some(index) => Err(damaged(format!("text {index} of a dictionary of {words}"))),
    }
}

fn bytes_ended(data: &mut Stream<'_>) -> Result<()> {
    if data.at_end()? { Ok(()) } else { Err(damaged("has more bytes than its texts")) }
}

/// The different texts of a stripe.
pub(super) struct Dictionary {
    /// Where each begins, and its length.
    words: Vec<(u32, u32)>,
    pub(super) bytes: Vec<u8>,
}

impl Dictionary {
    /// Reads one of `count` texts, unless it takes more than `most` bytes.
    pub(super) fn read(
        count: u64,
        lengths: &mut Integers<'_>,
        data: &mut Stream<'_>,
        most: usize,
    ) -> Result<Self> {
        let most = most.min(u32::MAX as usize);
        let (mut read, mut batch) = (Self { words: Vec::new(), bytes: Vec::new() }, Vec::new());
        let mut left = count;
        while left > 0 {
            let part = left.min(MAX_BATCH as u64);
            lengths.fill(part as usize, &mut batch).map_err(|error| error.within("length"))?;
            for &len in &batch {
                let start = read.bytes.len();
                let len = length(len)?;
                let taken = start.saturating_add(len).saturating_add((read.words.len() + 1) * 8);
                if taken > most {
                    let text =
                        format!("a dictionary of more than {most} bytes doesn't fit the memory budget");
                    return Err(InputError::Unsupported(text));
                }
                read.words.push((start as u32, len as u32));
                data.append(len, &mut read.bytes).map_err(|error| error.within("dictionary"))?;
            }
            left -= part;
        }
        lengths.ended().map_err(|error| error.within("length"))?;
        bytes_ended(data).map_err(|error| error.within("dictionary"))?;
        Ok(read)
    }
}
