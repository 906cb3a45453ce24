//! One command a file.

mod build;
mod demo;
mod diff;
mod export;
mod query;
mod stat;
mod top;
mod verify;

use std::io::{self, Write};

use s3inv::{Index, Scope};
use s3inv_index_format::{FormatError, Reader};
use s3inv_pipeline::{IndexSource, open_index, open_newest};

pub(crate) use build::build;
pub(crate) use demo::demo;
pub(crate) use diff::diff;
pub(crate) use export::export;
pub(crate) use query::query;
pub(crate) use stat::stat;
pub(crate) use top::top;
pub(crate) use verify::verify;

use crate::failure::Failure;
use crate::place::Place;
use crate::text;

/// An index, and its name for messages.
struct Opened {
    name: String,
    reader: Reader<IndexSource>,
}

impl Opened {
    fn new(text: &str) -> Result<Self, Failure> {
        let (location, reader) = match Place::parse(text)? {
            Place::File(location) => {
                let reader = open_index(&location, None)?;
                (location, reader)
            }
            Place::Directory(folder) => open_newest(&folder, None)?,
        };
        Ok(Self { name: location.to_string(), reader })
    }

    fn failure(&self) -> impl Fn(FormatError) -> Failure + '_ {
        |error| Failure::Index { index: self.name.clone(), error }
    }
}

/// Opens the index that people name.
fn open(text: &str) -> Result<Index, Failure> {
    Ok(match Place::parse(text)? {
        Place::File(location) => Index::open(&location, None)?,
        Place::Directory(folder) => Index::open_newest(&folder, None)?,
    })
}

/// What is to be said of a scope that is no prefix.
fn note_of(scope: &Scope) -> Option<String> {
    let sums =
        || format!("{}* sums directories: objects that begin so lie elsewhere", text::name(scope.text()));
    scope.exact().is_none().then(sums)
}

/// Writes an answer to stdout. Whoever closed it, as `head` does, wants no more.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}
