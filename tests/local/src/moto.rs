use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::{Context as _, Error};
use crate::guard::Guard;

/// The server, after what makes moto more like AWS.
const SERVE: &str = concat!(
    include_str!("../python/s3.py"),
    include_str!("../python/states.py"),
    include_str!("../python/serve.py")
);

/// S3 and Step Functions.
pub(crate) struct Moto {
    child: Child,
    pub(crate) port: u16,
}

impl Moto {
    /// Returns when it answers. Its own calls go to `front`; what it logs, to `moto.log`.
    pub(crate) fn start(python: &Path, front: u16, logs: &Path, guard: &Guard) -> Result<Self, Error> {
        let path = logs.join("moto.log");
        let log = File::create(&path).context(path.display().to_string())?;
        let mut command = Command::new(python);
        command.arg("-c").arg(SERVE).process_group(guard.group());
        // Nothing of the user's may lead its calls elsewhere: no proxy, no profile.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("MOTO_PORT", front.to_string()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().context(python.display().to_string())?;
        match port(&mut child) {
            Some(port) => Ok(Self { child, port }),
            None => Err(Error::Unreadable {
                action: "moto did not start".to_owned(),
                answer: std::fs::read_to_string(&path).unwrap_or_default(),
            }),
        }
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
