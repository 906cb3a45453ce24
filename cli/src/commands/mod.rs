//! One command a file.

mod build;
mod completions;
mod demo;
mod diff;
mod export;
mod filter;
mod ls;
mod man;
mod prices;
mod query;
mod report;
mod stat;
mod top;
mod tree;
mod verify;

use std::io::{self, BufWriter, StdoutLock, Write};

use s3inv::{AskError, FormatError, Index, Scope};

pub(crate) use build::{Signals, build};
pub(crate) use completions::completions;
pub(crate) use demo::demo;
pub(crate) use diff::diff;
pub(crate) use export::export;
pub(crate) use ls::ls;
pub(crate) use man::man;
pub(crate) use prices::prices;
pub(crate) use query::query;
pub(crate) use report::report;
pub(crate) use stat::stat;
pub(crate) use top::top;
pub(crate) use tree::tree;
pub(crate) use verify::verify;

use crate::failure::Failure;
use crate::place::Place;
use crate::text;

/// Opens the index that people name.
pub(crate) fn open(text: &str) -> Result<Index, Failure> {
    Ok(match Place::parse(text)? {
        Place::File(location) => Index::open(&location, None)?,
        Place::Directory(folder) => Index::open_newest(&folder, None)?,
    })
}

/// An error of an index, which it names.
pub(crate) fn failed(index: &Index) -> impl Fn(FormatError) -> Failure + '_ {
    |error| Failure::Index { index: index.name().to_owned(), error }
}

/// What is to be said of a scope that is no prefix.
fn note_of(scope: &Scope) -> Option<String> {
    let sums =
        || format!("{}* sums directories: objects that begin so lie elsewhere", text::name(scope.text()));
    scope.exact().is_none().then(sums)
}

fn not_found(index: &Index, scope: &Scope) -> Failure {
    AskError::not_found([index], scope).into()
}

/// What is said of what lies in a prefix, and in no directory of it.
fn directly(index: &Index, prefix: &[u8]) -> &'static str {
    if index.is_cut(prefix) { "(here and below)" } else { "(directly here)" }
}

/// Why an answer ended early.
enum Answering {
    Index(FormatError),
    Stdout(io::Error),
}

impl From<FormatError> for Answering {
    fn from(error: FormatError) -> Self {
        Self::Index(error)
    }
}

impl From<io::Error> for Answering {
    fn from(error: io::Error) -> Self {
        Self::Stdout(error)
    }
}

impl From<serde_json::Error> for Answering {
    fn from(error: serde_json::Error) -> Self {
        Self::Stdout(error.into())
    }
}

/// Writes an answer to stdout while the index is read for it. If that fails, what has not gone out yet is not said.
fn answer(index: &Index, write: impl FnOnce(&mut dyn Write) -> Result<(), Answering>) -> Result<(), Failure> {
    let mut out = stdout();
    match write(&mut out) {
        Err(Answering::Index(error)) => {
            drop(out.into_parts());
            Err(failed(index)(error))
        }
        Err(Answering::Stdout(error)) => said(Err(error)),
        Ok(()) => said(out.flush()),
    }
}

/// Writes an answer to stdout.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = stdout();
    said(write(&mut out).and_then(|()| out.flush()))
}

fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Whoever closed stdout, as `head` does, wants no more.
fn said(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}
