//! Temporary files and directories whose owner holds a file lock for as long as it lives.
//!
//! The kernel releases the lock when its owner ends, however it ends: a leftover is what can be
//! locked. Neither age nor process id says so: clocks jump, and ids come again.
//!
//! Both sides follow one rule, *lock, then look whether the path still names what was locked*.
//! So who makes a file, and who sweeps it away between its making and its locking, can't both
//! believe that they own it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes names differ within the process; a leftover of the same name is stepped over.
static NEXT: AtomicU64 = AtomicU64::new(0);

const SCRATCH: Names<'static> = Names { before: "s3inv-index-", after: ".lock" };

/// A directory for the temporary files of one run, gone with all it holds when this is dropped.
///
/// `parent/s3inv-index-{pid}-{n}`, with the lock in `s3inv-index-{pid}-{n}.lock` beside it.
/// Only its owner can enter it: keys of objects may be secret.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    lock_path: PathBuf,
    /// Held, not used.
    _lock: File,
    /// For whoever removes the directory, which takes a descriptor: all others may be in use.
    spare: Option<File>,
    removed: bool,
}

impl ScratchDir {
    /// Removes what killed processes left in `parent`, then makes a directory there.
    ///
    /// `parent` must exist, and stays. Leftovers that can't be removed (another user's) are left
    /// to a later run. Errors name the path. Blocks.
    pub fn create(parent: &Path) -> io::Result<Self> {
        sweep(parent, &SCRATCH, remove_scratch).map_err(|e| named(parent, &e))?;
        loop {
            let name = SCRATCH.next();
            let lock_path = parent.join(&name);
            let Some(lock) = lock_new(&lock_path).map_err(|e| named(&lock_path, &e))? else { continue };
            let path = directory_of(&lock_path);
            let spare = lock.try_clone().inspect_err(|_| drop(fs::remove_file(&lock_path)));
            let spare = Some(spare.map_err(|e| named(&lock_path, &e))?);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, lock_path, _lock: lock, spare, removed: false }),
                Err(error) => fs::remove_file(&lock_path).and_then(|()| taken(named(&path, &error)))?,
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory with all it holds. Blocks.
    ///
    /// After an error, the lock file stays, so that a later run finds the rest.
    pub fn remove(mut self) -> io::Result<()> {
        self.removed = true;
        self.spare = None;
        remove_scratch(&self.lock_path).map_err(|e| named(&self.path, &e))
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if !self.removed {
            self.spare = None;
            // What is left, the next run removes.
            let _ = remove_scratch(&self.lock_path);
        }
    }
}

/// The directory first: as long as it is there, its lock file leads to it.
fn remove_scratch(lock_path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory_of(lock_path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::remove_file(lock_path),
    }
}

fn directory_of(lock_path: &Path) -> PathBuf {
    lock_path.with_extension("")
}

/// A directory without a lock file has lost it to somebody else: not ours to judge.
fn taken(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

/// A file that is written beside its destination, to be renamed over it; removed when dropped.
#[derive(Debug)]
pub(crate) struct TempFile {
    file: Arc<File>,
    path: PathBuf,
    armed: bool,
}

impl TempFile {
    /// Removes what killed processes left of earlier tries at `destination`, then makes
    /// `.{name}.s3inv-{pid}-{n}.tmp` beside it. Blocks.
    pub(crate) fn beside(destination: &Path, name: &str) -> io::Result<Self> {
        let directory = directory_holding(destination);
        let before = format!(".{name}.s3inv-");
        let names = Names { before: &before, after: ".tmp" };
        sweep(directory, &names, |path| fs::remove_file(path))?;
        loop {
            let path = directory.join(names.next());
            if let Some(file) = lock_new(&path)? {
                return Ok(Self { file: Arc::new(file), path, armed: true });
            }
        }
    }

    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Makes it the file at `destination`, in one step.
    pub(crate) fn persist(mut self, destination: &Path) -> io::Result<()> {
        fs::rename(&self.path, destination)?;
        self.armed = false;
        Ok(())
    }

    /// Makes it the file at `destination`, in one step, unless there is one (`AlreadyExists`).
    pub(crate) fn persist_new(self, destination: &Path) -> io::Result<()> {
        // Its temporary name goes when it is dropped.
        fs::hard_link(&self.path, destination)
    }

    pub(crate) fn discard(mut self) -> io::Result<()> {
        self.armed = false;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.armed {
            // What is left, the next run removes.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The directory that `path` is in, by a name that can be opened.
pub(crate) fn directory_holding(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Names of the form `{before}{pid}-{n}{after}`.
struct Names<'a> {
    before: &'a str,
    after: &'a str,
}

impl Names<'_> {
    fn next(&self) -> String {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{}{}-{n}{}", self.before, std::process::id(), self.after)
    }

    fn matches(&self, name: &str) -> bool {
        let middle = name.strip_prefix(self.before).and_then(|rest| rest.strip_suffix(self.after));
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        middle.and_then(|middle| middle.split_once('-')).is_some_and(|(pid, n)| number(pid) && number(n))
    }
}

/// Removes every file of these names in `directory` that no live process holds.
fn sweep(directory: &Path, names: &Names, remove: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| names.matches(name)) {
            continue;
        }
        let path = entry.path();
        if let Ok(Some(_held)) = claim(&path) {
            // Another user's, perhaps. It is in nobody's way.
            let _ = remove(&path);
        }
    }
    Ok(())
}

/// Locks a file that is there; `None` if somebody lives who holds it, or if it is gone.
fn claim(path: &Path) -> io::Result<Option<File>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    hold(OpenOptions::new().read(true).write(true).open(path)?, path)
}

/// Makes and locks a file; `None` if there is one, or if a sweep came in between.
fn lock_new(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        // No lock to be had on this file system: nobody would recognise the file later.
        Ok(file) => hold(file, path).inspect_err(|_| drop(fs::remove_file(path))),
        Err(error) => taken(error).map(|()| None),
    }
}

fn hold(file: File, path: &Path) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(names_it(path, &file)?.then_some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn names_it(path: &Path, file: &File) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn named(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(directory: &Path) -> BTreeSet<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        fs::read_dir(directory).unwrap().map(name).collect()
    }

    /// What a killed process leaves: everything but the lock.
    fn leftover(parent: &Path) -> PathBuf {
        let path = parent.join("s3inv-index-1-0");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("run"), "rows").unwrap();
        fs::write(parent.join("s3inv-index-1-0.lock"), "").unwrap();
        path
    }

    #[test]
    fn a_scratch_directory_goes_with_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        let removed = ScratchDir::create(parent.path()).unwrap();
        let dropped = ScratchDir::create(parent.path()).unwrap();
        fs::write(dropped.path().join("run"), "rows").unwrap();
        assert_eq!(names(parent.path()).len(), 4);
        removed.remove().unwrap();
        drop(dropped);
        assert_eq!(names(parent.path()), BTreeSet::new());
    }

    #[test]
    #[ignore = "run by the test below, where few files may be open"]
    fn removed_while_no_file_can_be_opened() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = ScratchDir::create(parent.path()).unwrap();
        fs::write(scratch.path().join("run"), "rows").unwrap();
        let all: Vec<_> = std::iter::from_fn(|| File::open("/").ok()).collect();
        drop(scratch);
        drop(all);
        assert_eq!(names(parent.path()), BTreeSet::new());
    }

    #[test]
    fn a_scratch_directory_goes_when_all_descriptors_are_in_use() {
        let mut alone = std::process::Command::new("prlimit");
        alone.arg("--nofile=64").arg(std::env::current_exe().unwrap());
        alone.args(["--exact", "lease::tests::removed_while_no_file_can_be_opened", "--ignored"]);
        let done = alone.output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && told.contains("1 passed"), "{told}");
    }

    #[test]
    fn only_leftovers_without_an_owner_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("s3inv-index-mine.lock"), "").unwrap();
        let live = ScratchDir::create(parent.path()).unwrap();
        fs::write(live.path().join("run"), "rows").unwrap();
        let dead = leftover(parent.path());
        let other = ScratchDir::create(parent.path()).unwrap();
        assert!(!dead.exists() && !parent.path().join("s3inv-index-1-0.lock").exists());
        assert!(live.path().join("run").exists() && other.path().exists());
        assert!(parent.path().join("s3inv-index-mine.lock").exists());
    }

    #[test]
    fn a_leftover_that_is_locked_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = leftover(parent.path());
        let lock = File::open(parent.path().join("s3inv-index-1-0.lock")).unwrap();
        lock.try_lock().unwrap();
        ScratchDir::create(parent.path()).unwrap().remove().unwrap();
        assert!(path.join("run").exists());
        drop(lock);
        ScratchDir::create(parent.path()).unwrap().remove().unwrap();
        assert_eq!(names(parent.path()), BTreeSet::new());
    }

    #[test]
    fn a_missing_parent_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let missing = parent.path().join("no");
        let error = ScratchDir::create(&missing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with(missing.to_str().unwrap()), "{error}");
    }

    #[test]
    fn many_at_once_get_directories_of_their_own() {
        let parent = tempfile::tempdir().unwrap();
        let work = |id: usize| {
            for _ in 0..50 {
                let scratch = ScratchDir::create(parent.path()).unwrap();
                let run = scratch.path().join("run");
                OpenOptions::new().write(true).create_new(true).open(&run).unwrap();
                fs::write(&run, id.to_string()).unwrap();
                std::thread::yield_now();
                assert_eq!(fs::read_to_string(&run).unwrap(), id.to_string());
            }
        };
        std::thread::scope(|scope| {
            for id in 0..16 {
                scope.spawn(move || work(id));
            }
        });
        assert_eq!(names(parent.path()), BTreeSet::new());
    }

    #[test]
    fn a_temporary_file_replaces_its_destination_or_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let destination = directory.path().join("index");
        fs::write(&destination, "old").unwrap();
        fs::write(directory.path().join(".index.s3inv-1-0.tmp"), "leftover").unwrap();
        fs::write(directory.path().join(".other.s3inv-1-0.tmp"), "another's").unwrap();
        let (first, second) = (
            TempFile::beside(&destination, "index").unwrap(),
            TempFile::beside(&destination, "index").unwrap(),
        );
        assert_eq!(names(directory.path()).len(), 4, "two live ones, `index`, and `other`'s");
        drop(first);
        assert_eq!(fs::read_to_string(&destination).unwrap(), "old");
        second.persist(&destination).unwrap();
        assert_eq!(fs::read_to_string(&destination).unwrap(), "");
        let left = [".other.s3inv-1-0.tmp", "index"].map(str::to_owned);
        assert_eq!(names(directory.path()), BTreeSet::from(left));
    }
}
