use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};

/// The log of a function: what its processes print, each line after the id of its invocation.
pub(crate) struct LogFile {
    path: PathBuf,
    file: Mutex<File>,
    written: Condvar,
}

impl LogFile {
    /// Appends to it where it exists.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), written: Condvar::new() })
    }

    pub(crate) fn line(&self, request_id: &str, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end the function.
        let _ = writeln!(file, "{request_id} {line}");
        self.written.notify_all();
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Waits for a line that holds all of `texts`.
    pub(crate) fn wait_for(&self, texts: &[&str], limit: Duration) -> Option<String> {
        let clock = SystemClock::new();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let log = self.text();
            if let Some(line) = log.lines().find(|line| texts.iter().all(|text| line.contains(text))) {
                return Some(line.to_owned());
            }
            let left = limit.checked_sub(clock.now())?;
            file = self.written.wait_timeout(file, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
