//! How far a build is: a bar on a terminal, a log line every tenth elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use s3inv_cancel::{Clock, Phase, SystemClock};
use s3inv_pipeline::{Progress, Snapshot};

use crate::logs::Screen;
use crate::text;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// Shows a build's progress whenever it is asked to.
pub(crate) struct Shown {
    progress: Arc<Progress>,
    screen: Screen,
    bar: Option<ProgressBar>,
    clock: SystemClock,
    /// Tenths that have been logged.
    tenths: u64,
}

impl Shown {
    pub(crate) fn new(progress: Arc<Progress>, screen: &Screen) -> Self {
        let bar = std::io::stderr().is_terminal().then(bar);
        screen.set_bar(bar.clone());
        Self { progress, screen: screen.clone(), bar, clock: SystemClock::new(), tenths: 0 }
    }

    pub(crate) fn show(&mut self) {
        let now = self.progress.snapshot();
        let left = time_left(now.done, self.clock.now());
        match &self.bar {
            Some(bar) => show_bar(bar, &now, left),
            None => self.log(&now, left),
        }
    }

    fn log(&mut self, now: &Snapshot, left: Option<Duration>) {
        let tenths = (now.done * 10.0) as u64;
        if tenths <= self.tenths || tenths >= 10 {
            return;
        }
        self.tenths = tenths;
        let seconds_left = left.map_or(0.0, |left| left.as_secs_f64().round());
        tracing::info!(percent = tenths * 10, rows = now.rows, bytes = now.bytes, seconds_left, "progress");
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.screen.set_bar(None);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>8} [{bar:30}] {percent:>3}%  {msg}");
    let bar = ProgressBar::new(STEPS);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}

fn show_bar(bar: &ProgressBar, now: &Snapshot, left: Option<Duration>) {
    let left = left.map(|left| format!(", {} left", text::duration(left))).unwrap_or_default();
    bar.set_prefix(match now.phase {
        None | Some(Phase::Manifest) => "manifest",
        Some(Phase::Ingest) => "reading",
        Some(Phase::Merge) => "merging",
        Some(Phase::Finalize | Phase::Publish) => "writing",
    });
    bar.set_position((now.done * STEPS as f64) as u64);
    let (bytes, total) = (text::bytes(now.bytes), text::bytes(now.bytes_total));
    bar.set_message(format!("{} rows, {bytes} of {total}{left}", text::count(now.rows)));
}

/// What is left, if the rest goes as what is done; nothing is known at first.
fn time_left(done: f64, elapsed: Duration) -> Option<Duration> {
    let total = elapsed.as_secs_f64() / done;
    (done > 0.01).then(|| Duration::try_from_secs_f64(total - elapsed.as_secs_f64()).ok()).flatten()
}
