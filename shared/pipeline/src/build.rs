use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};
use std::time::Duration;

use futures::future;
use s3inv_cancel::{Cancellation, Phase};
use s3inv_index_format::FormatError;
use s3inv_model::RowCounts;
use s3inv_store::Store;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

use crate::destination::Destination;
use crate::ingest::{Chunk, ingest};
use crate::options::MIN_MEMORY;
use crate::plan::{Plan, plan};
use crate::scratch::Scratch;
use crate::{
    BuildError, BuildOptions, BuildReport, Cause, Progress, finalize, memory, merge, source, system,
};

/// How long a store may take to end what was cut off.
const SETTLE_WITHIN: Duration = Duration::from_millis(400);

/// What all phases share.
pub(crate) struct Context {
    pub(crate) runtime: Handle,
    pub(crate) cancellation: Cancellation,
    pub(crate) progress: Arc<Progress>,
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) workers: usize,
    pub(crate) memory: usize,
    pub(crate) max_depth: Option<usize>,
    pub(crate) verify_md5: bool,
    pub(crate) lookup: bool,
}

/// Builds an index.
///
/// Works on threads of its own, which have all ended when this returns. Dropping the future cancels
/// the build, and waits for these threads: for less than a second, with the thread that drops it.
pub async fn build(mut options: BuildOptions) -> Result<BuildReport, BuildError> {
    let cancellation = options.cancellation.child();
    options.cancellation = cancellation.clone();
    let (done, result) = oneshot::channel();
    let thread = Builder::new().name("s3inv-build".to_owned()).spawn(move || {
        // Nobody waits for it any more when the future was dropped.
        let _ = done.send(run(&options));
    });
    let thread = thread.map_err(|error| BuildError { phase: Phase::Manifest, cause: error.into() })?;
    let running = Running { cancellation, thread: Some(thread) };
    let result = result.await;
    drop(running);
    let panicked =
        |_| BuildError { phase: Phase::Manifest, cause: Cause::Bug("the build panicked".to_owned()) };
    result.unwrap_or_else(|gone| Err(panicked(gone)))
}

/// Ends a build that nobody waits for any more.
struct Running {
    cancellation: Cancellation,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancellation.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic has been printed, and is told by the channel that it left empty.
            let _ = thread.join();
        }
    }
}

fn run(options: &BuildOptions) -> Result<BuildReport, BuildError> {
    let failed = |cause| BuildError { phase: Phase::Manifest, cause };
    if options.memory < MIN_MEMORY {
        return Err(failed(Cause::Memory(options.memory)));
    }
    let runtime = system::runtime().map_err(|error| failed(error.into()))?;
    run_on(&runtime, options)
}

fn run_on(runtime: &Runtime, options: &BuildOptions) -> Result<BuildReport, BuildError> {
    let started = options.cancellation.now();
    let (context, plan, stores, out) = in_phase(options, Phase::Manifest, || {
        options.cancellation.check()?;
        let config = source::config_for(
            [&options.manifest, &options.out],
            options.sdk_config.clone(),
            runtime.handle(),
            &options.cancellation,
        )?;
        let (store, key) = options.out.open(config.as_ref())?;
        let manifest = options.manifest.open(config.as_ref())?;
        let mut stores = vec![Arc::clone(&store), Arc::clone(&manifest.0)];
        let workers = memory::workers(options.memory, options.workers.get());
        let plan = plan(options, manifest, config.as_ref(), workers, runtime.handle())?;
        // Data files in S3 are all in one bucket.
        stores.extend(plan.inventory.files.first().map(|file| Arc::clone(&file.store)));
        let context = context(options, workers, runtime)?;
        // Begun now, so that a destination that can't be written is known before the work is done.
        let out = Destination::create(&*store, &key, &context.runtime, &context.cancellation)?;
        Ok((context, plan, stores, out))
    })?;
    tracing::info!(files = plan.inventory.files.len(), bytes = plan.inventory.bytes, "manifest read");
    let built = steps(options, &context, &plan, &stores, out, started);
    // What a dropped upload left running, so that nothing of it outlives the build.
    let settled = future::join_all(stores.iter().map(Store::settle));
    let settle = async { tokio::time::timeout(SETTLE_WITHIN, settled).await };
    if runtime.block_on(settle).is_err() {
        tracing::warn!("storage did not answer in time: an unfinished upload may be left");
    }
    built
}

/// The phases after the manifest's.
fn steps(
    options: &BuildOptions,
    context: &Context,
    plan: &Plan,
    stores: &[Arc<dyn Store>],
    out: Destination,
    started: Duration,
) -> Result<BuildReport, BuildError> {
    context.progress.expect_bytes(plan.inventory.bytes);
    let (chunks, counts) = in_phase(options, Phase::Ingest, || {
        let chunks = ingest(context, plan)?;
        let counts = total(&chunks)?;
        Ok((chunks, counts))
    })?;
    let chunk_count = chunks.len();
    let runs: Vec<_> = chunks.into_iter().flat_map(|chunk| chunk.runs).collect();
    let run_count = runs.len();
    tracing::info!(rows = counts.rows, runs = run_count, "inventory read");
    let (segments, rounds) = in_phase(options, Phase::Merge, || {
        merge::merge_all(context, runs).map_err(|cause| cause.in_scratch(context.scratch.path()))
    })?;
    tracing::info!(rounds, segments = segments.len(), "runs merged");
    let (out, info) = in_phase(options, Phase::Finalize, || {
        let joined = finalize::join(context, plan, &segments, &counts, out);
        joined.map_err(|cause| cause.in_scratch(context.scratch.path()))
    })?;
    let index_bytes = in_phase(options, Phase::Publish, || out.publish())?;
    Ok(BuildReport {
        index: options.out.to_string(),
        chunks: chunk_count,
        counts,
        measures: info.schema.measures,
        unknown: info.unknown,
        prefixes: info.prefixes,
        depth: info.depth,
        runs: run_count,
        rounds,
        index_bytes,
        retries: stores.iter().map(Store::retries).sum(),
        duration: options.cancellation.now().saturating_sub(started),
    })
}

fn context(options: &BuildOptions, workers: usize, runtime: &Runtime) -> Result<Context, Cause> {
    Ok(Context {
        runtime: runtime.handle().clone(),
        cancellation: options.cancellation.clone(),
        progress: Arc::clone(&options.progress),
        scratch: Arc::new(Scratch::create(&options.temp_dir)?),
        workers,
        memory: options.memory,
        max_depth: options.max_depth,
        verify_md5: options.verify_md5,
        lookup: options.lookup,
    })
}

fn total(chunks: &[Chunk]) -> Result<RowCounts, FormatError> {
    let sum = |sum: RowCounts, chunk: &Chunk| sum.plus(&chunk.counts);
    let total = chunks.iter().try_fold(RowCounts::default(), sum);
    total.ok_or_else(|| FormatError::Overflow("rows read".to_owned()))
}

/// Does a phase, and says where it was when it failed.
fn in_phase<T>(
    options: &BuildOptions,
    phase: Phase,
    work: impl FnOnce() -> Result<T, Cause>,
) -> Result<T, BuildError> {
    options.progress.enter(phase);
    tracing::debug!(?phase, "phase begins");
    work().map_err(|cause| {
        if cause.is_stop() {
            tracing::warn!("{}", phase.cancelled());
        }
        BuildError { phase, cause }
    })
}

/// Does jobs on some threads, each thread taking the next one when it is done with one; their results
/// stand in the jobs' order. When one fails the others are cancelled, and all threads have ended.
pub(crate) fn side_by_side<T: Send>(
    outer: &Cancellation,
    jobs: usize,
    threads: usize,
    job: impl Fn(usize, &Cancellation) -> Result<T, Cause> + Sync,
) -> Result<Vec<T>, Cause> {
    let cancellation = outer.child();
    let next = AtomicUsize::new(0);
    let worker = || {
        let stop_others = StopOthers(&cancellation);
        let mut done = Vec::new();
        loop {
            cancellation.check()?;
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= jobs {
                std::mem::forget(stop_others);
                return Ok(done);
            }
            done.push((at, job(at, &cancellation)?));
        }
    };
    let results = std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads.min(jobs)).map(|_| spawn(scope, &worker, &cancellation)).collect();
        spawned.into_iter().map(join).collect::<Vec<_>>()
    });
    in_order(results, outer)
}

type Done<T> = Result<Vec<(usize, T)>, Cause>;

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    worker: &'scope (impl Fn() -> Done<T> + Sync),
    cancellation: &Cancellation,
) -> std::io::Result<ScopedJoinHandle<'scope, Done<T>>> {
    let spawned = Builder::new().name("s3inv-worker".to_owned()).spawn_scoped(scope, worker);
    spawned.inspect_err(|_| cancellation.cancel())
}

fn join<T>(spawned: std::io::Result<ScopedJoinHandle<'_, Done<T>>>) -> Done<T> {
    spawned?.join().unwrap_or_else(|_| Err(Cause::Bug("a worker panicked".to_owned())))
}

/// Cancels what works beside a worker that fails or panics.
struct StopOthers<'a>(&'a Cancellation);

impl Drop for StopOthers<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The results, or what went wrong first: not the cancellations that followed from it.
fn in_order<T>(results: Vec<Done<T>>, outer: &Cancellation) -> Result<Vec<T>, Cause> {
    let mut done = Vec::new();
    let mut failed: Option<Cause> = None;
    for result in results {
        match result {
            Ok(part) => done.extend(part),
            Err(cause) if failed.as_ref().is_none_or(Cause::is_stop) => failed = Some(cause),
            Err(_) => {}
        }
    }
    match failed {
        // The reason for a stop is the one outside: among themselves, workers are only cancelled.
        Some(cause) if cause.is_stop() => Err(outer.check().err().map_or(cause, Cause::from)),
        Some(cause) => Err(cause),
        None => {
            done.sort_by_key(|&(at, _)| at);
            Ok(done.into_iter().map(|(_, result)| result).collect())
        }
    }
}
