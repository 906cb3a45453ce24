//! A chunk's parts as its worker receives them: a stream of bytes for each file, whose MD5 a thread of
//! its own adds up.

use std::io::{self, Read};
use std::sync::{Arc, mpsc as sync};
use std::thread::ScopedJoinHandle;

use md5::{Digest, Md5};
use s3inv_cancel::Cancellation;
use s3inv_store::StoreError;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::fetch::{self, Part};
use super::position::{Halt, Place};
use crate::Cause;
use crate::memory::IngestMemory;
use crate::plan::Input;

/// The parts of all files of a chunk, file after file.
pub(super) struct Parts<'a> {
    runtime: Handle,
    cancellation: &'a Cancellation,
    received: mpsc::Receiver<Result<Part, StoreError>>,
    fetching: JoinHandle<()>,
    to_md5: sync::Sender<Arc<Part>>,
    from_md5: sync::Receiver<[u8; 16]>,
}

impl<'a> Parts<'a> {
    /// Starts to fetch `files`. The MD5 thread ends when this is dropped.
    pub(super) fn start<'scope>(
        files: Vec<Input>,
        memory: IngestMemory,
        runtime: &Handle,
        cancellation: &'a Cancellation,
        scope: &'scope std::thread::Scope<'scope, '_>,
    ) -> io::Result<(Self, ScopedJoinHandle<'scope, ()>)> {
        let (to_md5, parts) = sync::channel();
        let (sums, from_md5) = sync::channel();
        let md5 = std::thread::Builder::new()
            .name("s3inv-md5".to_owned())
            .spawn_scoped(scope, move || add_up(&parts, &sums))?;
        let (to, received) = mpsc::channel(memory.parts);
        let fetching = runtime.spawn(fetch::fetch(files, memory.part, memory.parts, to));
        let runtime = runtime.clone();
        Ok((Self { runtime, cancellation, received, fetching, to_md5, from_md5 }, md5))
    }

    /// The next part.
    fn receive(&mut self) -> Result<Arc<Part>, Cause> {
        let received = self.runtime.block_on(self.cancellation.guard(self.received.recv()))?;
        let part = received.ok_or_else(|| Cause::Bug("fetching ended early".to_owned()))??;
        let part = Arc::new(part);
        // The thread ends only when the sender is gone.
        let _ = self.to_md5.send(Arc::clone(&part));
        Ok(part)
    }

    /// The MD5 of the file whose last part has been received.
    fn md5(&self) -> Result<[u8; 16], Cause> {
        self.from_md5.recv().map_err(|_| Cause::Bug("the MD5 thread ended early".to_owned()))
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        // Downloads in flight are cut off, then joined.
        self.received.close();
        self.fetching.abort();
        let _ = self.runtime.block_on(&mut self.fetching);
    }
}

fn add_up(parts: &sync::Receiver<Arc<Part>>, sums: &sync::Sender<[u8; 16]>) {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.bytes);
        if part.last && sums.send(md5.finalize_reset().into()).is_err() {
            break;
        }
    }
}

/// One file of the stream of parts.
pub(super) struct FileParts<'p, 'a> {
    parts: &'p mut Parts<'a>,
    place: &'p Place<'p>,
    /// The file's `ETag`, from its first part on.
    etag: Arc<str>,
    part: Option<Arc<Part>>,
    at: usize,
    ended: bool,
    gathered: bool,
    progress: &'p crate::Progress,
    /// Why reading failed: an `io::Error` can't say it.
    failed: Option<Cause>,
}

impl<'p, 'a> FileParts<'p, 'a> {
    /// The next file, which must be that of `place`.
    pub(super) fn new(parts: &'p mut Parts<'a>, place: &'p Place<'p>, progress: &'p crate::Progress) -> Self {
        Self {
            parts,
            place,
            etag: Arc::default(),
            part: None,
            at: 0,
            ended: false,
            gathered: false,
            progress,
            failed: None,
        }
    }

    /// The file's `ETag`; empty before anything has been read of it.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    /// Puts the whole file into `into`, unless `between` its parts there is a reason not to. It counts as
    /// progress when it has been read from there.
    pub(super) fn gather(
        &mut self,
        into: &mut Vec<u8>,
        between: impl Fn() -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        into.clear();
        into.reserve_exact(self.place.file.size as usize);
        self.each(|part| {
            into.extend_from_slice(&part.bytes);
            between()
        })?;
        self.gathered = true;
        Ok(())
    }

    /// Hands over part after part.
    pub(super) fn each(&mut self, mut take: impl FnMut(&Part) -> Result<(), Halt>) -> Result<(), Halt> {
        while let Some(part) = self.next()? {
            take(&part)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Arc<Part>>, Cause> {
        if self.ended {
            return Ok(None);
        }
        let part = self.parts.receive()?;
        self.place.check(&part.etag)?;
        self.etag = Arc::clone(&part.etag);
        self.ended = part.last;
        Ok(Some(part))
    }

    /// What kept [`Read`] from going on.
    pub(super) fn failure(&mut self) -> Option<Cause> {
        self.failed.take()
    }

    /// Reads what is left, and compares the MD5 of all.
    pub(super) fn verify(mut self) -> Result<(), Cause> {
        while self.next()?.is_some() {}
        if self.gathered {
            self.progress.add_bytes(self.place.file.size);
        }
        let got = self.parts.md5()?;
        let file = self.place.file;
        if got == file.md5 {
            return Ok(());
        }
        let [got, expected] = [got, file.md5].map(u128::from_be_bytes);
        let problem = format!("its MD5 is {got:032x}, but the manifest says {expected:032x}");
        Err(Cause::Mismatch { uri: file.uri(), problem })
    }
}

impl Read for FileParts<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(part) = &self.part {
                let rest = part.bytes.get(self.at..).unwrap_or_default();
                if rest.is_empty() {
                    self.progress.add_bytes(part.bytes.len() as u64);
                } else {
                    let len = rest.len().min(out.len());
                    out[..len].copy_from_slice(&rest[..len]);
                    self.at += len;
                    return Ok(len);
                }
            }
            // Give the part's memory back before waiting for the next.
            (self.part, self.at) = (None, 0);
            match self.next() {
                Ok(Some(part)) => self.part = Some(part),
                Ok(None) => return Ok(0),
                Err(cause) => {
                    let text = cause.to_string();
                    self.failed = Some(cause);
                    return Err(io::Error::other(text));
                }
            }
        }
    }
}
