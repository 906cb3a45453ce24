//! Fetching data files as parts: several on their way at once, handed over in order, the next file's
//! while the one before is still being read.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use s3inv_store::{Store, StoreError, StoreErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::plan::Input;

/// A piece of a data file. Its memory is accounted for as long as it lives.
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    /// The file's `ETag`.
    pub(crate) etag: Arc<str>,
    /// Whether the file ends with it.
    pub(crate) last: bool,
    _place: OwnedSemaphorePermit,
}

/// A piece that is to be fetched.
struct Wanted {
    store: Arc<dyn Store>,
    key: String,
    etag: Arc<str>,
    from: u64,
    until: u64,
    last: bool,
}

/// Sends all parts of all files, in order, until the receiver is gone.
pub(super) async fn fetch(
    files: Vec<Input>,
    part: usize,
    parts: usize,
    to: mpsc::Sender<Result<Part, StoreError>>,
) {
    let places = Arc::new(Semaphore::new(parts));
    let wanted = stream::iter(files).then(|file| wanted(file, part as u64));
    let wanted = wanted.map_ok(|list| stream::iter(list).map(Ok)).try_flatten();
    let fetched = wanted.map(|wanted| fetch_part(wanted, Arc::clone(&places))).buffered(parts);
    let mut fetched = std::pin::pin!(fetched);
    while let Some(part) = fetched.next().await {
        let failed = part.is_err();
        if to.send(part).await.is_err() || failed {
            break;
        }
    }
}

/// The parts of a file, once it is known to be as long as the manifest says.
async fn wanted(file: Input, part: u64) -> Result<Vec<Wanted>, StoreError> {
    let etag: Arc<str> = head(&file).await?.into();
    let count = file.size.div_ceil(part).max(1);
    let piece = |at: u64| Wanted {
        store: Arc::clone(&file.store),
        key: file.key.clone(),
        etag: Arc::clone(&etag),
        from: at * part,
        until: file.size.min((at + 1) * part),
        last: at + 1 == count,
    };
    Ok((0..count).map(piece).collect())
}

/// The file's `ETag`, if its length is right.
pub(super) async fn head(file: &Input) -> Result<String, StoreError> {
    let meta = file.store.head(&file.key).await?;
    if meta.size == file.size {
        return Ok(meta.etag);
    }
    let text = format!("is {} bytes, but the manifest says {}", meta.size, file.size);
    Err(StoreError::new(&file.uri(), StoreErrorKind::Invalid, &text))
}

async fn fetch_part(wanted: Result<Wanted, StoreError>, places: Arc<Semaphore>) -> Result<Part, StoreError> {
    let Wanted { store, key, etag, from, until, last } = wanted?;
    let closed = |_| StoreError::new(&store.uri(&key), StoreErrorKind::Other, "fetching has ended");
    let place = places.acquire_owned().await.map_err(closed)?;
    let bytes = store.read(&key, from..until, Some(&etag)).await?;
    Ok(Part { bytes, etag, last, _place: place })
}
