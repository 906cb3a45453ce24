//! Logs on stderr: a JSON object a line, or, on a terminal, a line for people.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use s3inv_logs::Entry;
use tracing::Level;

use crate::args::LogArgs;
use crate::text;

/// Who shares stderr: log lines have to go above the progress bar, if there is one.
#[derive(Clone)]
pub(crate) struct Screen {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    pub(crate) pretty: bool,
}

impl Screen {
    /// Log lines go above this bar from now on.
    pub(crate) fn set_bar(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    /// Writes a line. Where stderr is closed there is nobody to tell.
    pub(crate) fn line(&self, line: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        bar.map_or_else(write, |bar| bar.suspend(write));
    }
}

/// Starts logging.
pub(crate) fn start(args: LogArgs) -> Screen {
    let pretty = args.pretty_logs || std::io::stderr().is_terminal();
    let screen = Screen { bar: Arc::default(), pretty };
    let level = if args.verbose { Level::DEBUG } else { Level::INFO };
    let lines = screen.clone();
    s3inv_logs::start(level, move |entry| {
        lines.line(&if lines.pretty { for_people(&entry) } else { entry.json() });
    });
    screen
}

/// A line for people.
fn for_people(entry: &Entry) -> String {
    let mut line = match entry.level.as_str() {
        "info" => String::new(),
        other => format!("{other}: "),
    };
    line.push_str(&text::printable(&entry.message));
    for (name, value) in &entry.fields {
        let value = value.as_str().map_or_else(|| value.to_string(), text::printable);
        // Writing to a string can't fail.
        let _ = write!(line, " {name}={value}");
    }
    line
}
