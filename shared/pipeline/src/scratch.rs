//! Runs and segments, as files of a directory that is gone with the build.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use s3inv_index_format::{FormatError, Info, Reader};
use s3inv_rollup::RunSink;
use s3inv_store::lease::ScratchDir;

/// The directory, and names for files in it.
pub(crate) struct Scratch {
    directory: ScratchDir,
    named: AtomicUsize,
}

impl Scratch {
    /// A new directory in `parent`, after removing what killed builds left there.
    pub(crate) fn create(parent: &Path) -> io::Result<Self> {
        Ok(Self { directory: ScratchDir::create(parent)?, named: AtomicUsize::new(0) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new file.
    pub(crate) fn file(&self) -> io::Result<ScratchFile> {
        let path = self.path().join(self.named.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(ScratchFile { file, path })
    }
}

/// A file that is being written.
pub(crate) struct ScratchFile {
    file: File,
    path: PathBuf,
}

impl io::Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file that is complete. It is closed, so that many runs do not mean many open files.
pub(crate) struct Stored {
    path: PathBuf,
    pub(crate) info: Info,
}

impl Stored {
    pub(crate) fn new(file: ScratchFile, info: Info) -> Self {
        Self { path: file.path, info }
    }

    pub(crate) fn open(&self) -> Result<Reader<File>, FormatError> {
        Reader::open_kind(File::open(&self.path)?, self.info.kind)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        // Making room early; what is left goes with the directory.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Keeps the runs of one chunk.
pub(crate) struct Runs {
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) stored: Vec<Stored>,
}

impl RunSink for Runs {
    type Out = ScratchFile;

    fn create(&mut self) -> io::Result<ScratchFile> {
        self.scratch.file()
    }

    fn done(&mut self, out: ScratchFile, info: Info) -> io::Result<()> {
        tracing::debug!(prefixes = info.prefixes, rows = info.counts.rows, "run written");
        self.stored.push(Stored::new(out, info));
        Ok(())
    }
}
