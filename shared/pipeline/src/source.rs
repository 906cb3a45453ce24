//! Reading an index wherever it is.

use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock};

use s3inv_cancel::{Cancellation, Stop};
use s3inv_index_format::{FormatError, ReadAt, Reader, Tail};
use s3inv_store::{Location, SdkConfig, Store, StoreError, StoreErrorKind};
use tokio::runtime::{Handle, Runtime};

use crate::fleet::{LATEST, Latest};

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

/// The bytes of an index: a local file, or an object that is read by ranges.
pub enum IndexSource {
    /// A file of this machine.
    Local(File),
    /// An object in a store.
    Remote(RemoteSource),
}

/// An object in a store, for a thread that may block. It stays the same object while it is read.
pub struct RemoteSource {
    store: Arc<dyn Store>,
    key: String,
    etag: OnceLock<String>,
    runtime: Runtime,
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
}

impl ReadAt for RemoteSource {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let read = self.store.read_tail(&self.key, len as u64);
        let (bytes, meta) = self.runtime.block_on(read).map_err(io::Error::other)?;
        self.etag.get_or_init(|| meta.etag);
        Ok(Tail { bytes: bytes.into(), total: meta.size })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let range = offset..offset.saturating_add(out.len() as u64);
        let etag = self.etag.get().map(String::as_str);
        let bytes =
            self.runtime.block_on(self.store.read(&self.key, range, etag)).map_err(io::Error::other)?;
        out.copy_from_slice(bytes.get(..out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
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
            let runtime = self.runtime;
            IndexSource::Remote(RemoteSource { store, key, etag: OnceLock::new(), runtime })
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

#[cfg(test)]
mod tests {
    use s3inv_index_format::{Form, Writer};
    use s3inv_model::{Bin, Cell, Classes, Dates, Measure, RowCounts, Schema, SizeBin};
    use s3inv_store::{Counting, MemoryStore};

    use super::*;

    const PREFIXES: u64 = 40_000;

    fn key(n: u64) -> Vec<u8> {
        format!("{n:06}/").into_bytes()
    }

    fn an_index() -> Vec<u8> {
        let mut classes = Classes::default();
        classes.add(b"STANDARD", b"").unwrap();
        let schema = Schema { measures: [Measure::Bytes, Measure::Classes].into_iter().collect(), classes };
        let form = Form { kind: s3inv_index_format::FileKind::Index, ..Form::segment(true) };
        let mut writer = Writer::new(Vec::new(), form, &schema).unwrap();
        let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
        for n in 0..PREFIXES {
            writer.push(&key(n), &[Cell { bin, objects: 1, bytes: n }], Dates::NONE).unwrap();
        }
        writer.finish(RowCounts::default()).unwrap().0
    }

    #[test]
    fn a_prefix_takes_one_request_of_an_index_with_tables_that_is_open() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let memory = MemoryStore::new();
        memory.put("b.s3inv", an_index());
        let store = Counting::new(memory);
        let counted: Arc<dyn Store> = Arc::new(store.clone());
        let source =
            RemoteSource { store: counted, key: "b.s3inv".to_owned(), etag: OnceLock::new(), runtime };
        let reader = Reader::open(source).unwrap();
        let asked = || (store.counts().read_tail, store.counts().read);
        assert_eq!(asked(), (1, 0));
        for (nth, n) in (1..).zip((0..PREFIXES).step_by(577)) {
            let found = reader.get(&key(n)).unwrap().unwrap();
            assert_eq!(found.cells[0].bytes, n);
            assert_eq!(asked(), (1, 2 * nth - 1));
            assert_eq!(reader.get(&[key(n), b"x/".to_vec()].concat()).unwrap(), None);
            assert_eq!(asked(), (1, 2 * nth));
        }
    }
}
