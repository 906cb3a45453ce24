//! One command a file.

mod build;
mod completions;
mod demo;
mod export;
mod man;
mod query;
mod stat;
mod verify;

use std::io::{self, Write};

use s3inv_index_format::{FormatError, Reader};
use s3inv_pipeline::{IndexSource, open_index, open_newest};

pub(crate) use build::{Signals, build};
pub(crate) use completions::completions;
pub(crate) use demo::demo;
pub(crate) use export::export;
pub(crate) use man::man;
pub(crate) use query::query;
pub(crate) use stat::stat;
pub(crate) use verify::verify;

use crate::failure::Failure;
use crate::place::Place;

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
