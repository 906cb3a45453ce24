use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use s3inv_cancel::{Cancellation, CancellationToken, SystemClock};
use s3inv_model::{Excluded, Measures};
use s3inv_pipeline::{BuildError, BuildOptions, BuildReport, Location, Progress};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::BuildArgs;
use crate::failure::Failure;
use crate::logs::Screen;
use crate::place::Place;
use crate::progress::Shown;
use crate::{limits, text};

/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(100);
/// SIGXFSZ on Linux: a file would become larger than the process may write.
const FILE_TOO_LARGE: i32 = 25;
/// What a shell shows for a process that a signal ended.
const SIGNAL_EXIT: u8 = 128;

pub(crate) fn build(args: &BuildArgs, screen: &Screen) -> Result<(), Failure> {
    let token = CancellationToken::new();
    let mut cancellation = Cancellation::new(token.clone(), Arc::new(SystemClock::new()));
    for timeout in [args.timeout, args.deadline.map(until)].into_iter().flatten() {
        cancellation = cancellation.with_timeout(timeout);
    }
    let options = BuildOptions {
        manifest: Location::parse(&args.s3_manifest)?,
        out: Place::parse(&args.out)?.new_index(),
        workers: args.workers.unwrap_or_else(processors),
        max_depth: args.max_depth,
        memory: args.mem_budget.unwrap_or_else(limits::default_budget),
        temp_dir: args.temp_dir.clone().unwrap_or_else(std::env::temp_dir),
        verify_md5: args.verify_md5,
        lookup: args.lookup,
        measures: args.measures.clone(),
        on_bad_row: args.on_bad_row.into(),
        sdk_config: None,
        cancellation,
        progress: Arc::new(Progress::default()),
    };
    let report = run(options, &token, screen)?;
    summarise(&report, screen);
    Ok(())
}

/// How long until a moment; nothing, if it is over.
#[expect(clippy::disallowed_methods, reason = "a deadline that people give is one of their clock")]
fn until(deadline: jiff::Timestamp) -> Duration {
    deadline.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default()
}

pub(super) fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Builds, shows how far it is, and listens to signals.
pub(super) fn run(
    options: BuildOptions,
    token: &CancellationToken,
    screen: &Screen,
) -> Result<BuildReport, Failure> {
    let system = |error: std::io::Error| Failure::Other(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(system)?;
        let mut shown = Shown::new(Arc::clone(&options.progress), screen);
        let mut ticks = tokio::time::interval(TICK);
        let mut building = std::pin::pin!(s3inv_pipeline::build(options));
        let mut stopped_by = None;
        loop {
            tokio::select! {
                built = &mut building => return built.map_err(|error| failed(error, stopped_by)),
                exit = signals.next() => match stopped_by.replace(exit) {
                    None => token.cancel(),
                    // Twice is meant: the next build removes what this one leaves.
                    Some(_) => std::process::exit(exit.into()),
                },
                _ = ticks.tick() => shown.show(),
            }
        }
    })
}

fn failed(error: BuildError, stopped_by: Option<u8>) -> Failure {
    tracing::debug!(error = %error, "build ended");
    Failure::of_build(error, stopped_by)
}

/// Signals that end what is being written.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Held, not waited for: with it, a write that is too large fails, instead of ending the process.
    _too_large: Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
        })
    }

    /// The exit code for the next signal.
    pub(crate) async fn next(&mut self) -> u8 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        SIGNAL_EXIT + u8::try_from(kind.as_raw_value()).unwrap_or(0)
    }
}

pub(super) fn summarise(report: &BuildReport, screen: &Screen) {
    let excluded = |reason| report.counts.of(reason);
    let seconds = report.duration.as_secs_f64();
    let rate = (report.counts.rows as f64 / seconds.max(1e-3)).round() as u64;
    let [markers, noncurrent] = [Excluded::DeleteMarker, Excluded::Noncurrent].map(excluded);
    let peak = limits::peak_memory();
    let again = |retries| (retries > 0).then_some(retries);
    if !screen.pretty {
        tracing::info!(
            index = report.index,
            rows = report.counts.rows,
            excluded_delete_marker = markers,
            excluded_noncurrent = noncurrent,
            excluded_bad_fields = excluded(Excluded::BadFields),
            excluded_bad_key = excluded(Excluded::BadKey),
            excluded_bad_size = excluded(Excluded::BadSize),
            excluded_bad_class = excluded(Excluded::BadClass),
            excluded_bad_date = excluded(Excluded::BadDate),
            excluded_bad_flag = excluded(Excluded::BadFlag),
            measures = text::measures(&report.measures),
            unknown = text::measures(&report.unknown),
            prefixes = report.prefixes,
            depth = report.depth,
            chunks = report.chunks,
            run_files = report.runs,
            merge_rounds = report.rounds,
            peak_memory_bytes = peak,
            seconds = (seconds * 1000.0).round() / 1000.0,
            rows_per_second = rate,
            index_bytes = report.index_bytes,
            retries = again(report.retries.made),
            retries_throttled = again(report.retries.throttled),
            "build complete"
        );
        return;
    }
    let skipped = report.counts.excluded.iter().filter(|(reason, _)| reason.is_bad());
    for (reason, rows) in skipped {
        screen.line(&format!("skipped {} rows that can't be read: {}", text::count(*rows), reason.name()));
    }
    if report.unknown != Measures::default() {
        let unknown = text::measures(&report.unknown);
        screen.line(&format!("not known, because the inventory lacks their fields: {unknown}"));
    }
    let BuildReport { counts, prefixes, depth, runs, index_bytes, .. } = report;
    for line in [
        format!("built {} in {}", report.index, text::duration(report.duration)),
        format!("  rows      {} ({} a second)", text::count(counts.rows), text::count(rate)),
        format!(
            "  excluded  {} noncurrent, {} delete markers",
            text::count(noncurrent),
            text::count(markers)
        ),
        format!("  prefixes  {}, to depth {depth}", text::count(*prefixes)),
        format!("  index     {}", text::bytes(*index_bytes)),
        format!("  runs      {runs} files, peak memory {}", text::bytes(peak)),
    ] {
        screen.line(&line);
    }
    if report.retries.made > 0 {
        let [made, throttled] = [report.retries.made, report.retries.throttled].map(text::count);
        screen.line(&format!("  retries   {made} requests to S3, {throttled} of them because S3 was busy"));
    }
}
