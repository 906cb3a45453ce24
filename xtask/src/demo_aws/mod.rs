//! `cargo xtask demo --aws`.
use crate::failure::Failure;
/// x
#[derive(clap::Args)]
pub(crate) struct Args {
    /// x
    #[arg(long)]
    aws: bool,
}
pub(crate) fn run(_: &Args) -> Result<(), Failure> { Ok(()) }
