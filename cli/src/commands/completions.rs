use clap::CommandFactory as _;
use clap_complete::Shell;

use super::print;
use crate::args::{Args, CompletionsArgs};
use crate::failure::Failure;

pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let script = script(args.shell);
    print(|out| out.write_all(script.as_bytes()))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "s3inv-index", &mut script);
    let script = String::from_utf8_lossy(&script);
    // For bash, clap_complete 4.6 writes a hyphen of the program's name in two ways, and nothing behind a
    // command is completed: https://github.com/clap-rs/clap/issues/6421
    script.replace("s3inv__subcmd__index", "s3inv__index")
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_command_and_option_is_completed_in_every_shell() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in Args::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
                for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
                    // fish says `-l format`.
                    let said = [format!("--{option}"), format!("-l {option} "), format!("-l {option}\n")];
                    assert!(said.iter().any(|said| script.contains(said)), "{shell}: --{option}");
                }
            }
        }
    }
}
