use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::Stopwatch;
use crate::failure::Failure;
use crate::local::{Programs, Server};
use crate::workspace::check;

/// `s3inv-index`, which finds the local AWS in the place of S3.
pub(super) struct CommandLine {
    program: PathBuf,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

impl CommandLine {
    pub(super) fn new(programs: &Programs, server: &Server, folder: &Path) -> Self {
        let environment = server.state.environment.clone();
        Self { program: programs.command_line(), folder: folder.to_owned(), environment }
    }

    pub(super) fn build(&self, manifest: &str, out: &Path) -> Result<(), Failure> {
        let out = out.display().to_string();
        self.run(&["build", "--pretty-logs", "--s3-manifest", manifest, "--out", &out])
    }

    pub(super) fn query(&self, index: &str, prefix: &str) -> Result<(), Failure> {
        self.run(&["query", "--index", index, "--prefix", prefix, "--show-tiers"])
    }

    /// Shows the command, what it prints and how long it took.
    fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        println!("\n$ s3inv-index {}", shown(arguments));
        let mut command = Command::new(&self.program);
        // Where the user's own variables and profile would lead elsewhere.
        for name in ["AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(name);
        }
        command.args(arguments).envs(&self.environment).current_dir(&self.folder);
        let watch = Stopwatch::start();
        check(&mut command, "see what it says")?;
        println!("({:.0} ms)", watch.seconds() * 1000.0);
        Ok(())
    }
}

/// As one types it.
fn shown(arguments: &[&str]) -> String {
    let quoted = |argument: &&str| if argument.is_empty() { "''".to_owned() } else { (*argument).to_owned() };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_empty_argument_is_seen() {
        assert_eq!(super::shown(&["query", "--prefix", ""]), "query --prefix ''");
    }
}
