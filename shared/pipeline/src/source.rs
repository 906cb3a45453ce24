//! Reading an index wherever it is.

use std::fs::File;
use std::io;
use std::ops::Range;

use s3inv_cancel::{Cancellation, Stop};
use s3inv_index_format::{FormatError, ReadAt, Reader, SourceError, Tail};
use s3inv_model::ErrorKind;
use s3inv_store::{Location, SdkConfig, StoreError, StoreErrorKind};
use tokio::runtime::{Handle, Runtime};

use crate::fleet::{LATEST, Latest};
use crate::remote::RemoteSource;

/// A longer document is no `latest.json`.
const LONGEST_LATEST: u64 = 64 << 10;

/// Why an index can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not what it should be.
    #[error("{uri}: {error}")]
    Format {
        /// The index.
        uri: String,
        /// What is wrong with it.
        error: FormatError,
    },
    /// The system refuses threads or the like.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl OpenError {
    /// What the one who sees it should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.error_kind(),
            Self::Format { error: FormatError::Io(error), .. } | Self::System(error) => kind_of(error),
            Self::Format { error, .. } => error.kind(),
        }
    }
}

/// A file that isn't there, or may not be read, is told by the system.
fn kind_of(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => ErrorKind::BadInput,
        _ => SourceError::kind_of(error),
    }
}

/// The bytes of an index: a local file, or an object that is read by ranges.
pub enum IndexSource {
    /// A file of this machine.
    Local(File),
    /// An object in a store.
    Remote(Box<RemoteSource>),
}

impl ReadAt for IndexSource {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        match self {
            Self::Local(file) => file.tail(len),
            Self::Remote(remote) => remote.tail(len),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Local(file) => file.read_at(offset, out),
            Self::Remote(remote) => remote.read_at(offset, out),
        }
    }

    fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    fn will_read(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Remote(remote) => remote.will_read(ranges),
        }
    }
}

/// Opens an index at `s3://bucket/key`, `file:///path` or a path. Not to be called, nor the reader to
/// be used, within an async task: they block.
pub fn open_index(location: &Location, config: Option<SdkConfig>) -> Result<Reader<IndexSource>, OpenError> {
    Access::new(location, config)?.open(location)
}

/// The name of an index that is alone in its folder.
pub const ALONE: &str = "index.s3inv";

/// Opens the newest index of a folder: the one that its `latest.json` names, or else
/// [`index.s3inv`](ALONE). Also where that is. As [`open_index`], it blocks.
pub fn open_newest(
    folder: &Location,
    config: Option<SdkConfig>,
) -> Result<(Location, Reader<IndexSource>), OpenError> {
    let access = Access::new(folder, config)?;
    let latest = folder.join(LATEST);
    let (store, key) = latest.open(access.config.as_ref())?;
    let named = match access.runtime.block_on(store.read_tail(&key, LONGEST_LATEST)) {
        Ok((bytes, _)) => name_in(&bytes)
            .map_err(|problem| StoreError::new(&latest.to_string(), StoreErrorKind::Invalid, &problem))?,
        Err(error) if error.kind() == StoreErrorKind::NotFound => ALONE.to_owned(),
        Err(error) => return Err(error.into()),
    };
    let index = folder.join(&named);
    let reader = access.open(&index)?;
    Ok((index, reader))
}

/// How what is not on this machine is reached. Connections belong to one runtime: another one that
/// shares the configuration would wait for them for ever.
struct Access {
    runtime: Runtime,
    config: Option<SdkConfig>,
}

impl Access {
    fn new(location: &Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let config = if location.is_s3() && config.is_none() {
            Some(runtime.block_on(s3inv_store::sdk_config()))
        } else {
            config
        };
        Ok(Self { runtime, config })
    }

    fn open(self, location: &Location) -> Result<Reader<IndexSource>, OpenError> {
        let source = if let Some(path) = location.as_local() {
            IndexSource::Local(open_file(location, path)?)
        } else {
            let (store, key) = location.open(self.config.as_ref())?;
            IndexSource::Remote(Box::new(RemoteSource::new(store, key, self.runtime)))
        };
        Reader::open(source).map_err(|error| match error {
            // The store has named the object already.
            FormatError::Io(error) if location.is_s3() => OpenError::System(error),
            error => OpenError::Format { uri: location.to_string(), error },
        })
    }
}

/// The index that a `latest.json` names.
fn name_in(bytes: &[u8]) -> Result<String, String> {
    let latest: Latest = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if latest.is_sound() {
        Ok(latest.index)
    } else {
        Err(format!("{:?} is no index in its folder", latest.index))
    }
}

fn open_file(location: &Location, path: &std::path::Path) -> Result<File, OpenError> {
    let wrap = |error: io::Error| OpenError::Format { uri: location.to_string(), error: error.into() };
    let file = File::open(path).map_err(wrap)?;
    if !file.metadata().map_err(wrap)?.is_file() {
        return Err(wrap(io::Error::other("not a regular file")));
    }
    Ok(file)
}

/// A configuration for whatever of these needs one. Looking for it can mean asking the network.
pub(crate) fn config_for(
    locations: [&Location; 2],
    config: Option<SdkConfig>,
    runtime: &Handle,
    cancellation: &Cancellation,
) -> Result<Option<SdkConfig>, Stop> {
    if config.is_some() || !locations.iter().any(|location| location.is_s3()) {
        return Ok(config);
    }
    runtime.block_on(cancellation.guard(s3inv_store::sdk_config())).map(Some)
}
