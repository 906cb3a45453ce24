use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Leads the group of all processes that are started here, and kills the whole group when its
/// standard input ends: with this value, or with this process, however that ends.
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn start() -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "read -r _; kill -KILL 0"]).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(shell.spawn()?))
    }

    /// The group to start processes in. A signal of the terminal doesn't reach it.
    pub(crate) fn group(&self) -> i32 {
        self.0.id().cast_signed()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It kills itself last: when it has ended, the others have.
        let _ = self.0.wait();
    }
}
