//! What programs need that must not wait in their tasks.

use std::io;

use s3inv_index_format::ReadAt;
use s3inv_pipeline::OpenError;
use s3inv_store::{Location, SdkConfig};
use tokio::task::{JoinError, spawn_blocking};

use crate::Index;

impl Index {
    /// [`open`](Self::open) for async tasks of tokio: it runs where waiting is allowed.
    pub async fn open_async(location: Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        spawn_blocking(move || Self::open(&location, config))
            .await
            .unwrap_or_else(|end| Err(ended(end).into()))
    }

    /// [`open_newest`](Self::open_newest) for async tasks of tokio.
    pub async fn open_newest_async(folder: Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        let open = spawn_blocking(move || Self::open_newest(&folder, config));
        open.await.unwrap_or_else(|end| Err(ended(end).into()))
    }
}

impl<R: ReadAt + 'static> Index<R> {
    /// Asks from an async task of tokio: `questions` runs where waiting is allowed. It ends even when this future is
    /// dropped; what it answers is dropped then.
    ///
    /// An error is of the runtime: it is about to end.
    pub async fn ask<T: Send + 'static>(
        &self,
        questions: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> io::Result<T> {
        let index = self.clone();
        spawn_blocking(move || questions(&index)).await.map_err(ended)
    }
}

/// A panic goes on where the answer was awaited; else the runtime is about to end.
fn ended(error: JoinError) -> io::Error {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => io::Error::other(error),
    }
}
