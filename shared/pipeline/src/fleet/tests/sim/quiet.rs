//! When nothing runs: the moment at which a seed may decide what happens next.

use std::fs;
use std::path::Path;

/// Waits until all other threads of this process sleep, and so wait for what they have asked for.
///
/// The kernel counts how often a thread has gone to sleep. Who slept both times that it was looked at, as
/// often as before, has slept all the time between: then there was a moment at which all of them did, and
/// only who looks could have woken one.
pub(super) fn wait() {
    let mut before = None;
    loop {
        let now = asleep();
        if now.is_some() && now == before {
            return;
        }
        if now.is_none() {
            std::thread::yield_now();
        }
        before = now;
    }
}

/// How often each other thread has gone to sleep, if all of them sleep.
fn asleep() -> Option<Vec<String>> {
    let this = fs::read_link("/proc/thread-self").unwrap();
    let others = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    others.filter(|task| task.file_name() != this.file_name()).map(|task| sleeps(&task)).collect()
}

/// Which thread it is and how often it has gone to sleep, if it sleeps, or is gone.
fn sleeps(task: &Path) -> Option<String> {
    let name = task.display();
    let Ok(status) = fs::read_to_string(task.join("status")) else { return Some(format!("{name} is gone")) };
    let field = |name: &str| status.split(name).nth(1).and_then(|rest| rest.lines().next());
    let switches = field("\nvoluntary_ctxt_switches:\t")?;
    field("\nState:\t")?.starts_with('S').then(|| format!("{name} {switches}"))
}
