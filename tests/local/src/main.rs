//! `local-aws serve --config FILE --state FILE`: see [`s3inv_local_aws::serve`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use s3inv_local_aws::serve::serve;

const USAGE: &str = "usage: local-aws serve --config FILE --state FILE";

#[expect(clippy::print_stderr, reason = "what a command says")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((config, state)) = files(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(&config, &state) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-aws: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The two files, in any order.
fn files(arguments: &[String]) -> Option<(PathBuf, PathBuf)> {
    let [command, options @ ..] = arguments else { return None };
    let value = |name: &str| {
        let position = options.iter().step_by(2).position(|option| option == name)?;
        Some(Path::new(options.get(position * 2 + 1)?).to_owned())
    };
    (command == "serve" && options.len() == 4).then_some((value("--config")?, value("--state")?))
}
