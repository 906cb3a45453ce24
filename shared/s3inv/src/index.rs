use std::sync::Arc;

use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
use s3inv_model::Stats;
use s3inv_pipeline::{IndexSource, OpenError, open_index, open_newest};
use s3inv_store::{Location, SdkConfig};

/// An index that is open. Clones share it, and threads may ask it at the same time.
///
/// Asking waits for the file or for S3, so it is not to be done within an async task.
pub struct Index<R = IndexSource> {
    inner: Arc<Inner<R>>,
}

struct Inner<R> {
    name: String,
    reader: Reader<R>,
}

impl<R> Clone for Index<R> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl Index {
    /// Opens the index at `s3://bucket/key`, `file:///path` or a path.
    pub fn open(location: &Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        Ok(Self::new(location.to_string(), open_index(location, config)?))
    }

    /// Opens the newest index of a folder, as its `latest.json` says.
    pub fn open_newest(folder: &Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        let (location, reader) = open_newest(folder, config)?;
        Ok(Self::new(location.to_string(), reader))
    }
}

impl<R: ReadAt> Index<R> {
    /// One that has been opened already, and its name for messages.
    pub fn new(name: String, reader: Reader<R>) -> Self {
        Self { inner: Arc::new(Inner { name, reader }) }
    }

    /// Where it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What it is read with.
    #[must_use]
    pub fn reader(&self) -> &Reader<R> {
        &self.inner.reader
    }

    /// What it says about itself.
    #[must_use]
    pub fn info(&self) -> &Info {
        self.reader().info()
    }

    /// What is known of a prefix, if it is there.
    pub fn stats(&self, prefix: &[u8]) -> Result<Option<Stats<'_>>, FormatError> {
        self.reader().stats(prefix)
    }
}
