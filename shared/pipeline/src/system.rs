//! What the system has to grant before a build can begin: where it doesn't, tokio panics, or waits for
//! ever for threads that were never started.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::Builder;
use std::time::Duration;

use tokio::runtime::Runtime;

/// The threads that wait for storage.
const IO_THREADS: usize = 2;
/// With one for work that blocks, a worker, and the one that adds up MD5.
const LEAST_THREADS: usize = IO_THREADS + 3;
/// What tokio opens without being ready for a refusal, and some more.
const LEAST_FILES: usize = 8;
/// How often is looked whether threads have gone, at most: they do within some microseconds.
const MOST_LOOKS: usize = 10_000;
/// Longer than any build.
const ALWAYS: Duration = Duration::from_hours(24 * 365);

/// Fails where the process may not open as many files as each command needs. To be called before a
/// tokio runtime is made, which would panic.
pub fn reserve_files() -> io::Result<()> {
    let open = (0..LEAST_FILES).map(|_| File::open("/")).collect::<io::Result<Vec<_>>>();
    let told = |error: io::Error| {
        let text = format!("{LEAST_FILES} open files are needed: {error}: raise their limit (`ulimit -n`)");
        io::Error::new(error.kind(), text)
    };
    open.map(drop).map_err(told)
}

/// The runtime of a build, with its threads.
pub(crate) fn runtime() -> io::Result<Runtime> {
    reserve_files()?;
    reserve_threads()?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(IO_THREADS).thread_name("s3inv-io").thread_keep_alive(ALWAYS);
    let runtime = builder.enable_all().build()?;
    // The first thread for work that blocks: while there is one, such work is done, sooner or later.
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

/// Fails where the process may not start as many threads as a build has at once.
fn reserve_threads() -> io::Result<()> {
    let gate = Mutex::new(Vec::new());
    // Each notes where the system tells of it.
    let wait = || fs::read_link("/proc/thread-self").into_iter().for_each(|thread| note(&gate, thread));
    std::thread::scope(|scope| {
        let _closed = gate.lock();
        (0..LEAST_THREADS).try_for_each(|_| Builder::new().spawn_scoped(scope, wait).map(drop))
    })?;
    // A thread that has ended counts until the system has cleared it away: then only is its place free.
    let threads = gate.into_inner().unwrap_or_default();
    let is_there = |thread: &PathBuf| Path::new("/proc").join(thread).exists();
    for _ in 0..MOST_LOOKS {
        if !threads.iter().any(is_there) {
            break;
        }
        std::thread::yield_now();
    }
    Ok(())
}

fn note(gate: &Mutex<Vec<PathBuf>>, thread: PathBuf) {
    if let Ok(mut threads) = gate.lock() {
        threads.push(thread);
    }
}
