use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::Workspace;

/// A local S3. It ends with this value, or with this process, however that ends: it runs for as
/// long as the pipe to its standard input is open.
pub(super) struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    /// Returns when it answers. What it logs goes to `moto.log` in the target folder.
    pub(super) fn start(python: &Path, workspace: &Workspace) -> Result<Self, Failure> {
        let path = workspace.target.join("moto.log");
        let log = File::create(&path).advise(path.display(), CHECK_DISK)?;
        let mut command = Command::new(python);
        command.arg(workspace.root.join("xtask/serve_s3.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child =
            command.spawn().advise(python.display(), "remove the venv folder, it is made again")?;
        let port = port(&mut child);
        let port =
            port.ok_or_else(|| Failure::new("moto did not start", format_args!("see {}", path.display())))?;
        Ok(Self { child, port })
    }

    /// What an S3 client connects to.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself: nothing is left to stop then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line that it prints when it listens.
fn port(child: &mut Child) -> Option<u16> {
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    line.trim().parse().ok()
}
