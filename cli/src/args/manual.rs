//! Arguments of what documents the command line itself.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

/// Print what makes a shell complete these commands
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index completions bash \\
    > ~/.local/share/bash-completion/completions/s3inv-index
  s3inv-index completions zsh > ~/.zfunc/_s3inv-index
  s3inv-index completions fish > ~/.config/fish/completions/s3inv-index.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Print the manual page, or write one a command
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  s3inv-index man | man -l -
  s3inv-index man --out ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
