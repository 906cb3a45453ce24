//! Where an export goes.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use s3inv::{Index, Location};
use s3inv_cancel::{Cancellation, CancellationToken, SystemClock};
use s3inv_pipeline::{Cause, Destination};
use s3inv_store::Store;
use tokio::runtime::{Builder, Handle};

use super::Exporting;
use crate::commands::Signals;
use crate::failure::Failure;
use crate::place::Place;

/// What formats write to.
pub(crate) type Sink<'a> = &'a mut (dyn Write + Send);

/// Stdout, or an object that appears whole or not at all.
pub(crate) enum Output {
    Stdout,
    Object(Location),
}

impl Output {
    /// Where people say, or stdout.
    pub(crate) fn new(out: Option<&str>) -> Result<Self, Failure> {
        let Some(out) = out else { return Ok(Self::Stdout) };
        match Place::parse(out)? {
            Place::File(location) => Ok(Self::Object(location)),
            Place::Directory(folder) => {
                Err(Failure::Other(format!("{folder}: a folder: name the file or object to write in it")))
            }
        }
    }

    /// Fails if this would be written over an index that is read.
    pub(crate) fn spares(&self, index: &Index) -> Result<(), Failure> {
        match self {
            Self::Object(location) if is_index(location, index.name()) => {
                Err(Failure::Other(format!("{location}: that is the index itself: write elsewhere")))
            }
            _ => Ok(()),
        }
    }

    /// Has something written to it, by a command of this name. `None` if who reads stdout has closed it, as `head`
    /// does: that is no error.
    pub(crate) fn take<T: Send + 'static>(
        self,
        what: &'static str,
        write: impl FnOnce(Sink<'_>, &Cancellation) -> Result<T, Exporting> + Send + 'static,
    ) -> Result<Option<T>, Failure> {
        match self {
            Self::Stdout => to_stdout(write),
            Self::Object(location) => to_object(&location, what, write).map(Some),
        }
    }
}

/// Whether the index of this name is there, by whatever path.
fn is_index(location: &Location, name: &str) -> bool {
    let Ok(index) = Location::parse(name) else { return false };
    match [location.as_local(), index.as_local()].map(|path| path.and_then(|path| path.canonicalize().ok())) {
        [Some(path), Some(index)] => path == index,
        _ => *location == index,
    }
}

fn to_stdout<T>(
    write: impl FnOnce(Sink<'_>, &Cancellation) -> Result<T, Exporting>,
) -> Result<Option<T>, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout());
    let written = write(&mut out, &Cancellation::never());
    match written.and_then(|done| Ok(out.flush().map(|()| done)?)) {
        Ok(done) => Ok(Some(done)),
        Err(Exporting::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        Err(Exporting::Output(error)) => Err(Failure::Other(format!("stdout: {error}"))),
        Err(error) => Err(error.into()),
    }
}

/// Writes in a thread of its own, and listens to signals meanwhile.
fn to_object<T: Send + 'static>(
    location: &Location,
    what: &'static str,
    write: impl FnOnce(Sink<'_>, &Cancellation) -> Result<T, Exporting> + Send + 'static,
) -> Result<T, Failure> {
    let system = |error: io::Error| Failure::Other(error.to_string());
    let runtime = Builder::new_current_thread().enable_all().build().map_err(system)?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(system)?;
        let config = if location.is_s3() { Some(s3inv_store::sdk_config().await) } else { None };
        let (store, key) = location.open(config.as_ref())?;
        let token = CancellationToken::new();
        let cancellation = Cancellation::new(token.clone(), Arc::new(SystemClock::new()));
        let mut work = tokio::task::spawn_blocking(move || published(&*store, &key, &cancellation, write));
        let mut stopped_by = None;
        loop {
            tokio::select! {
                done = &mut work => {
                    let done = done.unwrap_or_else(|panic| Err(Failure::Other(panic.to_string())));
                    return done.map_err(|failure| failure.stopped_by(what, stopped_by));
                }
                exit = signals.next() => match stopped_by.replace(exit) {
                    None => token.cancel(),
                    // Twice is meant: the next export to this place removes what this one leaves.
                    Some(_) => std::process::exit(exit.into()),
                },
            }
        }
    })
}

/// To be called where blocking is allowed, within a runtime.
fn published<T>(
    store: &dyn Store,
    key: &str,
    cancellation: &Cancellation,
    write: impl FnOnce(Sink<'_>, &Cancellation) -> Result<T, Exporting>,
) -> Result<T, Failure> {
    let mut out = Destination::create(store, key, &Handle::current(), cancellation)?;
    match write(&mut out, cancellation) {
        Ok(done) => {
            out.publish()?;
            Ok(done)
        }
        Err(error) => Err(out.failure().map_or_else(|| error.into(), Failure::from)),
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Stop(stop) => Self::Stopped(stop),
            Cause::Store(error) => Self::Store(error),
            cause => Self::Other(cause.to_string()),
        }
    }
}

impl From<Exporting> for Failure {
    fn from(error: Exporting) -> Self {
        match error {
            Exporting::Stop(stop) => Self::Stopped(stop),
            Exporting::Failed(failure) => failure,
            Exporting::Index(error) => Self::Other(error.to_string()),
            Exporting::Output(error) => Self::Other(error.to_string()),
        }
    }
}
