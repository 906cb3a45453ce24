//! The index file: one immutable file of per-prefix statistics, every byte of it under a checksum.
//!
//! `SPEC.md` beside this crate says every byte. Three kinds of file share the format: a *run* (what
//! one worker rolled up), a *segment* (a merged range of keys) and the *index* (all segments, joined).
//! So there is one writer, one reader and one thing to fuzz.
//!
//! A file may have tables ([`Form::lookup`]), in which [`Reader::get`] finds a prefix by one small read, and
//! [`Reader::get_many`] some at once. Who asks for many keeps the file [`Mapped`].
//!
//! A [`Span`] is a range of rows: the children of a prefix, or all below it. [`Reader::span`] goes through its
//! rows, [`Reader::count`] counts them by the directory.
//!
//! Everything here is synchronous, over [`std::io::Write`] and [`ReadAt`].

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod block;
mod body;
mod brief;
mod bucket;
mod check_tables;
mod cursor;
mod cuts;
mod entry;
mod error;
mod firsts;
#[cfg(any(test, feature = "fuzz"))]
mod forge;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod info;
mod join;
mod layout;
mod least;
mod lookup;
mod lot;
mod mapped;
mod moment;
mod packed;
mod page;
mod part;
mod reader;
mod sets;
mod source;
mod span;
mod table;
#[cfg(test)]
mod tests;
mod trailer;
mod varint;
mod verify;
mod window;
mod writer;

pub use block::Compression;
pub use cursor::Cursor;
pub use cuts::is_partition_start;
pub use entry::Entry;
pub use error::FormatError;
pub use info::{FileKind, Info, Origin};
pub use join::Joiner;
pub use layout::MAX_PAGE_RAW;
pub use least::Least;
pub use mapped::Mapped;
pub use part::{PageRows, Part, Within};
pub use reader::Reader;
pub use source::{ReadAt, SourceError, Tail};
pub use span::{Place, Span};
pub use trailer::TRAILER;
pub use verify::verify;
pub use window::Window;
pub use writer::{Form, Writer};
