//! `cargo xtask infra`: the SAM template and the state machines, as three validators see them.

#[cfg(test)]
mod definition;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::installed::Installed;
use crate::test::venv;
use crate::workspace::{Workspace, check};

const TEMPLATE: &str = "infra/template.yaml";
/// The state machines: one builds, one sweeps after each build.
const DEFINITIONS: [&str; 2] = ["build.asl.json", "sweep.asl.json"];
const CORRECT: &str = "correct what it names";

pub(crate) fn run() -> Result<(), Failure> {
    validate(&Workspace::load()?)
}

/// One line for each validator. They run side by side.
pub(crate) fn validate(workspace: &Workspace) -> Result<(), Failure> {
    let python = venv::with(workspace, "infra-python", "xtask/infra/requirements.txt")?;
    let node = node_modules(workspace)?;
    let validators = [
        Validator::start("sam validate --lint", &mut sam(workspace, &python))?,
        Validator::start("cfn-lint", &mut cfn_lint(workspace, &python))?,
        Validator::start("asl-validator", &mut asl_validator(workspace, &node)?)?,
    ];
    let passed: Vec<_> = validators.into_iter().map(Validator::finish).collect();
    passed.into_iter().collect()
}

/// It looks at the environment for a Region and credentials, and uses neither.
fn sam(workspace: &Workspace, python: &Path) -> Command {
    let mut sam = Command::new(python.with_file_name("sam"));
    sam.args(["validate", "--lint", "--template-file"]).arg(workspace.root.join(TEMPLATE));
    sam.env_remove("AWS_PROFILE").env("AWS_DEFAULT_REGION", "us-east-1");
    sam.env("AWS_ACCESS_KEY_ID", "none").env("AWS_SECRET_ACCESS_KEY", "none");
    // What it would keep in the home folder.
    sam.env("__SAM_CLI_APP_DIR", workspace.target.join("infra-python"));
    sam.env("SAM_CLI_TELEMETRY", "0");
    sam
}

fn cfn_lint(workspace: &Workspace, python: &Path) -> Command {
    let mut lint = Command::new(python.with_file_name("cfn-lint"));
    lint.arg(workspace.root.join(TEMPLATE));
    lint
}

/// It knows no substitutions: it gets the definitions that AWS would get.
fn asl_validator(workspace: &Workspace, program: &Path) -> Result<Command, Failure> {
    let mut validator = Command::new(program);
    for name in DEFINITIONS {
        let source = workspace.root.join("infra").join(name);
        let definition = fs::read_to_string(&source).advise(source.display(), CHECK_DISK)?;
        let path = workspace.target.join("infra-node").join(name);
        fs::write(&path, substituted(&definition)).advise(path.display(), CHECK_DISK)?;
        validator.arg("--json-path").arg(path);
    }
    Ok(validator)
}

/// The definition with `${Partition}`, and ARNs of functions for all else.
fn substituted(definition: &str) -> String {
    let mut parts = definition.replace("${Partition}", "aws");
    while let Some((before, name, after)) = substitution(&parts) {
        parts = format!("{before}arn:aws:lambda:us-east-1:123456789012:function:{name}{after}");
    }
    parts
}

/// What stands before a `${NAME}`, the name, and the rest.
fn substitution(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn node_modules(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let from = workspace.root.join("xtask/infra");
    let program = Installed {
        folder: workspace.target.join("infra-node"),
        list: from.join("package-lock.json"),
        program: "node_modules/.bin/asl-validator",
    };
    program.ready(|folder| {
        fs::create_dir_all(folder).advise(folder.display(), CHECK_DISK)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(from.join(name), folder.join(name)).advise(name, CHECK_DISK)?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])
            .stdout(Stdio::null());
        check(npm.current_dir(folder), "install Node.js 20 or newer, and see that npm reaches its registry")
    })
}

struct Validator {
    name: &'static str,
    child: Child,
}

impl Validator {
    fn start(name: &'static str, command: &mut Command) -> Result<Self, Failure> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child =
            command.spawn().advise(name, "remove the infra-* folders in target: they are made again")?;
        Ok(Self { name, child })
    }

    /// Shows what it printed only where it found something.
    fn finish(self) -> Result<(), Failure> {
        let output = self.child.wait_with_output().advise(self.name, CHECK_DISK)?;
        if output.status.success() {
            println!("infra: {} passed", self.name);
            return Ok(());
        }
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(Failure::new(format_args!("{}: {}", self.name, output.status), CORRECT))
    }
}
