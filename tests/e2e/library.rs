//! Cancellation as a caller of the library sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use s3inv_cancel::{Cancellation, CancellationToken, Clock, Phase, SystemClock};
use s3inv_pipeline::{BuildError, BuildOptions, Progress, build};
use s3inv_tests::{Folder, folder};
use tokio::sync::{Mutex, watch};

use crate::cancel::long;

/// Threads are the process's: one such test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A clock that a test sets.
struct Hands(watch::Sender<Duration>);

impl Clock for Hands {
    fn now(&self) -> Duration {
        *self.0.borrow()
    }

    fn sleep_until(&self, moment: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            // The sender is this clock's own.
            let _ = now.wait_for(|now| *now >= moment).await;
        })
    }
}

/// A build that takes a while.
fn options(folder: &Folder, cancellation: Cancellation) -> BuildOptions {
    let delivered = long().write(&folder.input());
    let (manifest, out) = (delivered.manifest.display().to_string(), folder.index().display().to_string());
    let mut options = BuildOptions::new(&manifest, &out).unwrap();
    options.memory = 16 << 20;
    options.temp_dir = folder.temp();
    options.cancellation = cancellation;
    options
}

/// Ends when rows are being read.
async fn reading(progress: Arc<Progress>) {
    while progress.snapshot().rows == 0 {
        tokio::task::yield_now().await;
    }
}

/// Ends when the runs are being merged.
async fn merging(progress: Arc<Progress>) {
    while progress.snapshot().phase != Some(Phase::Merge) {
        tokio::task::yield_now().await;
    }
}

/// Names of this process's threads that a build started.
fn threads_of_builds() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(name).filter(|name| name.starts_with("s3inv-")).collect()
}

fn assert_nothing_left(folder: &Folder) {
    // A thread that has been joined is listed until the kernel is done with it.
    let gone = (0..1000).any(|_| {
        std::thread::yield_now();
        threads_of_builds().is_empty()
    });
    assert!(gone, "still there: {:?}", threads_of_builds());
    folder.assert_left(&[]);
}

/// Cancels a build by its caller's token when `ready` ends.
async fn cancelled_when<R: Future<Output = ()>>(ready: impl FnOnce(Arc<Progress>) -> R) -> BuildError {
    let folder = folder();
    let token = CancellationToken::new();
    let parent = Cancellation::new(token.clone(), Arc::new(SystemClock::new()));
    let options = options(&folder, parent.child());
    let ready = ready(Arc::clone(&options.progress));
    let cancel = async {
        ready.await;
        token.cancel();
    };
    let (result, ()) = tokio::join!(build(options), cancel);
    assert_nothing_left(&folder);
    result.unwrap_err()
}

#[tokio::test]
async fn a_parents_token_cancels() {
    let _alone = ALONE.lock().await;
    let error = cancelled_when(reading).await;
    assert_eq!(error.to_string(), "ingest phase: process chunk: context canceled");
    let error = cancelled_when(merging).await;
    assert_eq!(error.to_string(), "merge/build phase: build index: context canceled");
}

/// Lets a timeout of a minute run out when `ready` ends.
async fn timed_out_when<R: Future<Output = ()>>(ready: impl FnOnce(Arc<Progress>) -> R) -> BuildError {
    let folder = folder();
    let clock = Arc::new(Hands(watch::Sender::new(Duration::ZERO)));
    let cancellation = Cancellation::new(CancellationToken::new(), Arc::<Hands>::clone(&clock));
    let options = options(&folder, cancellation.with_timeout(Duration::from_mins(1)));
    let ready = ready(Arc::clone(&options.progress));
    let run_out = async {
        ready.await;
        clock.0.send_replace(Duration::from_mins(1));
    };
    let (result, ()) = tokio::join!(build(options), run_out);
    assert_nothing_left(&folder);
    result.unwrap_err()
}

#[tokio::test]
async fn a_timeout_ends_a_build() {
    let _alone = ALONE.lock().await;
    let error = timed_out_when(reading).await;
    assert_eq!(error.to_string(), "ingest phase: process chunk: context deadline exceeded");
    let error = timed_out_when(merging).await;
    assert_eq!(error.to_string(), "merge/build phase: build index: context deadline exceeded");
}

#[tokio::test]
async fn dropping_the_future_cancels_and_cleans() {
    let _alone = ALONE.lock().await;
    let moments: [fn(Arc<Progress>) -> Ready; 2] =
        [|progress| Box::pin(reading(progress)), |progress| Box::pin(merging(progress))];
    for ready in moments {
        let folder = folder();
        let options = options(&folder, Cancellation::never());
        let ready = ready(Arc::clone(&options.progress));
        tokio::select! {
            result = build(options) => panic!("it was not dropped: {result:?}"),
            () = ready => {}
        }
        assert_nothing_left(&folder);
    }
}

type Ready = Pin<Box<dyn Future<Output = ()>>>;

#[tokio::test]
async fn a_timeout_around_the_future_cancels_and_cleans() {
    let _alone = ALONE.lock().await;
    let folder = folder();
    let building = build(options(&folder, Cancellation::never()));
    let result = tokio::time::timeout(Duration::from_millis(50), building).await;
    assert!(result.is_err(), "{result:?}");
    assert_nothing_left(&folder);
}

#[tokio::test]
async fn a_build_that_never_began_leaves_nothing() {
    let _alone = ALONE.lock().await;
    let folder = folder();
    drop(build(options(&folder, Cancellation::never())));
    assert_nothing_left(&folder);
}

#[tokio::test]
async fn a_build_that_succeeds_leaves_its_index_and_no_threads() {
    let _alone = ALONE.lock().await;
    let folder = folder();
    let report = build(options(&folder, Cancellation::never())).await.unwrap();
    assert!(report.runs > 1, "{report:?}");
    std::fs::remove_file(folder.index()).unwrap();
    assert_nothing_left(&folder);
}
