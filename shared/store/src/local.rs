use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::task::TaskTracker;

use crate::error::check_range;
use crate::lease::{TempFile, directory_holding};
use crate::{ObjectMeta, Only, Store, StoreError, StoreErrorKind, Suspended, Upload};

/// Regular files below a directory. A key is a relative path with `/`.
///
/// Keys come from input: one that could lead out of the directory (absolute, or with an empty,
/// `.` or `..` component) is refused. Symbolic links are the user's own, and are followed. What
/// [`Upload::copy`] copies from is a path, taken as it is.
///
/// [`Only::IfAbsent`] needs a file system with hard links, and holds against every other writer.
/// [`Only::IfMatch`] compares, then renames: a file that somebody else puts there in between is
/// replaced.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
    blocking: Blocking,
}

impl LocalStore {
    /// The files below `root`; an empty path is the current directory.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), blocking: Blocking::new() }
    }

    fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        let good = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if key.split('/').all(good) {
            return Ok(self.root.join(key));
        }
        let text = format!("not a path below {}", self.root.display());
        Err(StoreError::invalid(key, &text))
    }

    /// Runs `work` on the file of `key`, where blocking is allowed.
    async fn with_path<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&Path, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (path, uri) = (self.path(key)?, self.uri(key));
        self.blocking.run(&self.uri(key), move || work(&path, &uri)).await
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        self.with_path(key, regular).await
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        let if_match = if_match.map(str::to_owned);
        self.with_path(key, move |path, uri| read(path, uri, &range, if_match.as_deref())).await
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        self.with_path(key, move |path, uri| {
            let (file, meta) = open(path, uri)?;
            let tail = meta.size.saturating_sub(len)..meta.size;
            Ok((read_at(&file, uri, &tail)?, meta))
        })
        .await
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        let temporary = self.with_path(key, create).await?;
        Ok(Box::new(LocalUpload {
            temporary,
            destination: self.path(key)?,
            uri: self.uri(key),
            blocking: self.blocking.clone(),
            broken: false,
        }))
    }

    fn uri(&self, key: &str) -> String {
        self.root.join(key).display().to_string()
    }

    async fn settle(&self) {
        self.blocking.0.wait().await;
    }
}

/// The metadata of a regular file. Opening a FIFO would wait for its writer, so ask first.
fn regular(path: &Path, uri: &str) -> Result<ObjectMeta, StoreError> {
    meta(&fs::metadata(path).map_err(|e| StoreError::io(uri, &e))?, uri)
}

fn meta(metadata: &fs::Metadata, uri: &str) -> Result<ObjectMeta, StoreError> {
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(StoreError::invalid(uri, what));
    }
    let (inode, size) = (metadata.ino(), metadata.size());
    let etag = format!("{inode:x}-{size:x}-{:x}.{:x}", metadata.mtime(), metadata.mtime_nsec());
    Ok(ObjectMeta { size, etag })
}

fn open(path: &Path, uri: &str) -> Result<(File, ObjectMeta), StoreError> {
    regular(path, uri)?;
    let file = File::open(path).map_err(|e| StoreError::io(uri, &e))?;
    let meta = meta_of(&file, uri)?;
    Ok((file, meta))
}

fn meta_of(file: &File, uri: &str) -> Result<ObjectMeta, StoreError> {
    meta(&file.metadata().map_err(|e| StoreError::io(uri, &e))?, uri)
}

fn read(path: &Path, uri: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
    let (file, meta) = open_matching(path, uri, if_match)?;
    check_range(uri, range, meta.size)?;
    let bytes = read_at(&file, uri, range)?;
    if unchanged(&file, uri, if_match)? { Ok(bytes) } else { Err(StoreError::changed(uri)) }
}

fn open_matching(path: &Path, uri: &str, if_match: Option<&str>) -> Result<(File, ObjectMeta), StoreError> {
    let (file, meta) = open(path, uri)?;
    if if_match.is_some_and(|etag| etag != meta.etag) {
        return Err(StoreError::changed(uri));
    }
    Ok((file, meta))
}

/// Whether nobody has written into the file while it was read.
fn unchanged(file: &File, uri: &str, if_match: Option<&str>) -> Result<bool, StoreError> {
    match if_match {
        Some(etag) => Ok(meta_of(file, uri)?.etag == etag),
        None => Ok(true),
    }
}

/// The bytes of a range that lies within the file, as far as its metadata say.
fn read_at(file: &File, uri: &str, range: &Range<u64>) -> Result<Bytes, StoreError> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    match file.read_exact_at(&mut bytes, range.start) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(StoreError::changed(uri)),
        Err(error) => Err(StoreError::io(uri, &error)),
    }
}

fn create(path: &Path, uri: &str) -> Result<TempFile, StoreError> {
    match fs::metadata(path) {
        // A device or FIFO would be replaced by a file.
        Ok(there) => drop(meta(&there, uri)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_directory(path, uri)?,
        Err(error) => return Err(StoreError::io(uri, &error)),
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    TempFile::beside(path, name).map_err(|e| StoreError::io(uri, &e))
}

fn check_directory(path: &Path, uri: &str) -> Result<(), StoreError> {
    let directory = directory_holding(path);
    if directory.is_dir() {
        return Ok(());
    }
    let text = format!("the directory {} does not exist: make it first", directory.display());
    Err(StoreError::new(uri, StoreErrorKind::NotFound, &text))
}

/// Appends a range of the file at `from` to `to`.
fn copy(from: &str, range: &Range<u64>, if_match: Option<&str>, mut to: &File) -> Result<(), StoreError> {
    let failed = |e| StoreError::io(from, &e);
    let (mut file, meta) = open_matching(Path::new(from), from, if_match)?;
    check_range(from, range, meta.size)?;
    file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
    let len = range.end - range.start;
    // The system copies between files without showing us the bytes, where it can.
    let copied = io::copy(&mut (&file).take(len), &mut to).map_err(failed)?;
    if copied == len && unchanged(&file, from, if_match)? { Ok(()) } else { Err(StoreError::changed(from)) }
}

/// Makes the file appear, if `only` holds.
fn persist(temporary: TempFile, path: &Path, uri: &str, only: Only<'_>) -> Result<(), StoreError> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => StoreError::precondition(uri, only),
        _ => StoreError::io(uri, &e),
    };
    match only {
        Only::Always => {}
        Only::IfAbsent => return temporary.persist_new(path).map_err(failed),
        Only::IfMatch(etag) => match regular(path, uri) {
            Ok(meta) if meta.etag == etag => {}
            Err(error) if error.kind() != StoreErrorKind::NotFound => return Err(error),
            _ => return Err(StoreError::precondition(uri, only)),
        },
    }
    temporary.persist(path).map_err(failed)
}

struct LocalUpload {
    temporary: TempFile,
    destination: PathBuf,
    uri: String,
    blocking: Blocking,
    /// Between the start of a write and its success.
    broken: bool,
}

#[async_trait]
impl Upload for LocalUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.uri));
        }
        self.broken = true;
        let file = self.temporary.file();
        self.blocking.io(&self.uri, move || (&*file).write_all(&bytes)).await?;
        self.broken = false;
        Ok(())
    }

    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.uri));
        }
        self.broken = true;
        let (file, from, if_match) = (self.temporary.file(), from.to_owned(), if_match.map(str::to_owned));
        let copied = move || copy(&from, &range, if_match.as_deref(), &file);
        self.blocking.run(&self.uri, copied).await?;
        self.broken = false;
        Ok(())
    }

    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.uri));
        }
        let (file, directory) = (self.temporary.file(), directory_holding(&self.destination).to_owned());
        let uri = self.uri.clone();
        // Opened before the file appears: afterwards as little as possible may fail.
        let synced = move || {
            let opened = file.sync_all().and_then(|()| File::open(directory));
            opened.map_err(|e| StoreError::io(&uri, &e))
        };
        let directory = self.blocking.run(&self.uri, synced).await?;
        // Renamed here, not in a thread: dropped futures must not make an object appear later.
        persist(self.temporary, &self.destination, &self.uri, only)?;
        let uri = self.uri.clone();
        let unsafe_yet = move |error| {
            StoreError::other(&uri, &format!("written, but a loss of power may undo it: {error}"))
        };
        self.blocking.run(&self.uri, move || sync_directory(&directory).map_err(unsafe_yet)).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.temporary.discard().map_err(|e| StoreError::io(&self.uri, &e))
    }

    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError> {
        let refused = StoreError::not_to_suspend(&self.uri);
        self.abort().await?;
        Err(refused)
    }
}

/// Makes a rename survive a loss of power, where the file system can.
fn sync_directory(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

/// Runs what blocks in threads for that, and counts what still runs.
#[derive(Clone, Debug)]
struct Blocking(TaskTracker);

impl Blocking {
    fn new() -> Self {
        let tasks = TaskTracker::new();
        // Closed means only that waiting for it ends when it is empty.
        tasks.close();
        Self(tasks)
    }

    async fn run<T: Send + 'static>(
        &self,
        uri: &str,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = self.0.spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(StoreError::other(uri, &error.to_string())))
    }

    async fn io(
        &self,
        uri: &str,
        work: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let name = uri.to_owned();
        self.run(uri, move || work().map_err(|e| StoreError::io(&name, &e))).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn files(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    async fn message(work: impl Future<Output = Result<Box<dyn Upload>, StoreError>>) -> String {
        work.await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn conforms() {
        let root = tempfile::tempdir().unwrap();
        crate::conformance::run(Arc::new(LocalStore::new(root.path())), "test-").await;
        let hidden = |e: &fs::DirEntry| e.file_name().as_encoded_bytes().starts_with(b".");
        let temporary = fs::read_dir(root.path()).unwrap().flatten().filter(hidden).count();
        assert_eq!(temporary, 0);
    }

    #[tokio::test]
    async fn keys_do_not_lead_out() {
        let root = tempfile::tempdir().unwrap();
        let store = LocalStore::new(root.path().join("in"));
        for key in ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", ".", "a/./b", "a\0"] {
            let error = store.head(key).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{key:?}");
            let error = store.create(key).await.err().unwrap();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{key:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_file_is_refused_without_waiting() {
        let root = tempfile::tempdir().unwrap();
        let fifo = root.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        fs::create_dir(root.path().join("directory")).unwrap();
        let store = LocalStore::new(root.path());
        for (key, says) in [("fifo", "not a regular file"), ("directory", "a directory")] {
            let expected = format!("{}: {says}", store.uri(key));
            assert_eq!(store.read(key, 0..1, None).await.unwrap_err().to_string(), expected);
            assert_eq!(store.read_tail(key, 1).await.unwrap_err().to_string(), expected);
            assert_eq!(message(store.create(key)).await, expected);
        }
    }

    #[tokio::test]
    async fn a_missing_directory_comes_with_a_remedy() {
        let root = tempfile::tempdir().unwrap();
        let store = LocalStore::new(root.path());
        let directory = root.path().join("no");
        let expected =
            format!("{0}/index: the directory {0} does not exist: make it first", directory.display());
        assert_eq!(message(store.create("no/index")).await, expected);
    }

    #[tokio::test]
    async fn a_dropped_upload_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let store = LocalStore::new(root.path());
        let mut upload = store.create("index").await.unwrap();
        upload.write(Bytes::from_static(b"half")).await.unwrap();
        assert_eq!(files(root.path()), 1);
        drop(upload);
        assert_eq!(files(root.path()), 0);
    }

    /// The one thread for blocking work is kept busy, so that the write can't end at once.
    #[test]
    fn a_write_that_was_cut_off_cannot_be_completed() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let root = tempfile::tempdir().unwrap();
            let store = LocalStore::new(root.path());
            let mut upload = store.create("index").await.unwrap();
            let (go, wait) = std::sync::mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || wait.recv());
            let write = upload.write(Bytes::from_static(b"half"));
            tokio::select! { biased; _ = write => panic!("written"), () = std::future::ready(()) => drop(go) }
            store.settle().await;
            assert!(upload.write(Bytes::new()).await.is_err());
            assert!(upload.complete(Only::Always).await.is_err());
            assert_eq!(files(root.path()), 0);
        });
    }
}
