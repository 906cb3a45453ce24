use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Ends another process when this one ends, however that comes about, unless it is loosened before.
///
/// A shell waits at a pipe, which closes with this process. It is in a group of its own: Ctrl-C on the
/// terminal doesn't end it.
pub(super) struct Tie(Child);

const WAIT: &str = "read -r _ || kill -TERM \"$0\"";

impl Tie {
    pub(super) fn new(process: u32) -> std::io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(WAIT).arg(process.to_string()).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(shell.spawn()?))
    }

    /// The other process is left alone.
    pub(super) fn loosen(mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            // A shell that isn't there ends nothing.
            let _ = pipe.write_all(b"loose\n");
        }
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn a_tie_that_is_dropped_ends_the_process() {
        let mut sleeper = sleeper();
        drop(Tie::new(sleeper.id()).unwrap());
        assert!(!sleeper.wait().unwrap().success());
    }

    #[test]
    fn one_that_is_loosened_does_not() {
        let mut sleeper = sleeper();
        Tie::new(sleeper.id()).unwrap().loosen();
        assert!(sleeper.try_wait().unwrap().is_none());
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
