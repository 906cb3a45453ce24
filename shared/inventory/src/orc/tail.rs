//! The end of a file: postscript and footer.

use std::io;

use bytes::Bytes;

use super::codec::Compression;
use super::error::{Result, damaged, excerpt};
use super::proto::Message;
use super::schema::{Type, Types, check_elements};
use super::stream::{Layout, MAX_BLOCK, Stream};
use crate::error::InputError;
use crate::ranges::{RangeRead, read_exact};

/// The longest footer that is read, of a file or a stripe, decompressed, in bytes.
pub(super) const MAX_FOOTER: usize = 4 << 20;

/// What is read of a file's end at once, in bytes: room for most footers.
const TAIL: u64 = 32 << 10;

/// A stripe, as the footer describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StripeInfo {
    /// Its rows.
    pub(crate) rows: u64,
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(super) index_len: u64,
    pub(super) data_len: u64,
    pub(super) footer_len: u64,
}

impl StripeInfo {
    fn parse(message: &[u8]) -> Result<Self> {
        let (mut fields, mut info) = (Message(message), Self::default());
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => info.offset = value.number()?,
                2 => info.index_len = value.number()?,
                3 => info.data_len = value.number()?,
                4 => info.footer_len = value.number()?,
                5 => info.rows = value.number()?,
                _ => (),
            }
        }
        Ok(info)
    }

    /// Where its footer begins and where it ends, if the sum makes sense.
    pub(super) fn footer(&self) -> Option<(u64, u64)> {
        let start = self.offset.checked_add(self.index_len)?.checked_add(self.data_len)?;
        Some((start, start.checked_add(self.footer_len)?))
    }
}

/// What the end of a file says about the rest.
pub(super) struct Tail {
    pub(super) layout: Layout,
    pub(super) rows: u64,
    pub(super) stripes: Vec<StripeInfo>,
    pub(super) types: Types,
}

struct Postscript {
    compression: Compression,
    block: u64,
    footer_len: u64,
    metadata_len: u64,
}

impl Postscript {
    fn parse(message: &[u8]) -> Result<Self> {
        let mut parsed =
            Self { compression: Compression::None, block: 256 << 10, footer_len: 0, metadata_len: 0 };
        let (mut fields, mut magic) = (Message(message), &b""[..]);
        let (mut kind, mut statistics_len) = (0, 0);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => parsed.footer_len = value.number()?,
                2 => kind = value.number()?,
                3 => parsed.block = value.number()?,
                5 => parsed.metadata_len = value.number()?,
                7 => statistics_len = value.number()?,
                8000 => magic = value.bytes()?,
                _ => (),
            }
        }
        if magic != b"ORC" {
            return Err(damaged(format!("its magic is \"{}\", expected \"ORC\"", excerpt(magic))));
        }
        parsed.compression = Compression::from_number(kind)?;
        let metadata_len = parsed.metadata_len.checked_add(statistics_len);
        parsed.metadata_len = metadata_len.ok_or_else(|| damaged("the metadata is longer than the file"))?;
        Ok(parsed)
    }

    fn layout(&self, window: usize, most: usize) -> Result<Layout> {
        let fits = usize::try_from(self.block).ok().filter(|block| (1..=MAX_BLOCK).contains(block));
        let block = match self.compression {
            Compression::None => Some(1),
            _ => fits,
        };
        let block = block.ok_or_else(|| {
            damaged(format!("compression blocks of {} bytes, expected at most {MAX_BLOCK}", self.block))
        })?;
        if block > most {
            let problem = "don't fit the memory budget";
            return Err(InputError::Unsupported(format!("compression blocks of {block} bytes {problem}")));
        }
        Ok(Layout { compression: self.compression, block, window })
    }
}

impl Tail {
    /// Reads it in windows of so many bytes, unless the file's blocks are longer than `block` bytes.
    pub(super) fn read(file: &dyn RangeRead, window: usize, block: usize) -> Result<Self> {
        let len = file.len();
        let at = len.saturating_sub(TAIL);
        let part = read_exact(file, at, (len - at) as usize).map_err(InputError::Io)?;
        let (postscript_len, postscript) = split_postscript(&part)?;
        let postscript = Postscript::parse(&postscript).map_err(|error| error.within("postscript"))?;
        let layout = postscript.layout(window, block)?;
        let end = len - 1 - postscript_len;
        let start = end.checked_sub(postscript.footer_len);
        let start = start.ok_or_else(|| damaged("the footer is longer than the file"))?;
        let stripes_end = start.checked_sub(postscript.metadata_len);
        let stripes_end = stripes_end.ok_or_else(|| damaged("the metadata is longer than the file"))?;
        let footer = Stream::new(&Cached { file, at, part }, layout, start, end)?.read_all(MAX_FOOTER);
        let footer = footer.map_err(|error| error.within("footer"))?;
        let tail = Self::parse(&footer, layout).map_err(|error| error.within("footer"))?;
        tail.check(stripes_end)
    }

    fn parse(footer: &[u8], layout: Layout) -> Result<Self> {
        let (mut fields, mut types) = (Message(footer), Types::default());
        let (mut rows, mut stripes, mut elements) = (0, Vec::new(), 0_usize);
        while let Some((field, value)) = fields.next()? {
            match field {
                3 => {
                    let info = StripeInfo::parse(value.bytes()?)?;
                    if info.footer_len == 0 {
                        return Err(damaged("a stripe without a footer"));
                    }
                    stripes.push(info);
                }
                4 => {
                    let parsed = Type::parse(value.bytes()?)?;
                    elements = elements.saturating_add(parsed.elements());
                    types.push(&parsed)?;
                }
                6 => rows = value.number()?,
                10 => types.encrypt(value.bytes()?)?,
                _ => (),
            }
            elements = elements.saturating_add(1);
            check_elements(elements)?;
        }
        Ok(Self { layout, rows, stripes, types })
    }

    /// Checks that the stripes lie one behind another within the file's first `end` bytes, and that
    /// their rows add up.
    fn check(self, end: u64) -> Result<Self> {
        let (mut at, mut rows) = (0u64, 0u64);
        for (nth, stripe) in self.stripes.iter().enumerate() {
            let within = |text: &str| damaged(text).within(format_args!("stripe {}", nth + 1));
            if stripe.offset < at {
                return Err(within("begins before the last one ends"));
            }
            let footer = stripe.footer().filter(|&(_, footer_end)| footer_end <= end);
            (_, at) = footer.ok_or_else(|| within("ends behind the last byte for stripes"))?;
            rows = rows.checked_add(stripe.rows).ok_or_else(|| within("has too many rows"))?;
        }
        if rows == self.rows {
            return Ok(self);
        }
        Err(damaged(format!("stripes of {rows} rows, but the footer says {}", self.rows)))
    }
}

/// A file of which a part is at hand.
struct Cached<'a> {
    file: &'a dyn RangeRead,
    at: u64,
    part: Bytes,
}

impl RangeRead for Cached<'_> {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read(&self, at: u64, len: usize) -> io::Result<Bytes> {
        match at.checked_sub(self.at).map(|skip| self.part.read(skip, len)) {
            Some(Ok(bytes)) => Ok(bytes),
            _ => self.file.read(at, len),
        }
    }
}

/// The postscript, whose length is the last byte, and that length.
fn split_postscript(tail: &Bytes) -> Result<(u64, Bytes)> {
    let Some((&len, before)) = tail.split_last() else { return Err(damaged("no bytes")) };
    let start = before.len().checked_sub(usize::from(len));
    let start = start.ok_or_else(|| damaged("the postscript is longer than the file"))?;
    Ok((u64::from(len), tail.slice(start..before.len())))
}
