//! `cargo xtask local`: the serverless build on this machine, as docs/local.md says.
//!
//! The local AWS is a process of its own, since it outlives this command. All talk with it goes through
//! its endpoint, over a client of a page: linked into this program, it would bring an HTTP server and an
//! asynchronous runtime to each `cargo xtask`.

mod client;
mod delivery;
mod names;
mod plan;
mod programs;
mod running;
mod server;
mod tie;
mod usage;
mod wait;

use std::fs;
use std::path::Path;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::Workspace;
pub(crate) use client::Client;
pub(crate) use delivery::Delivered;
pub(crate) use names::{FUNCTIONS, INDEXES, SCRATCH, build_arn};
pub(crate) use plan::plan;
pub(crate) use programs::Programs;
use running::Running;

pub(crate) use server::Server;
pub(crate) use wait::{look_again, until};

/// What to do with the local AWS.
#[derive(clap::Subcommand)]
pub(crate) enum Action {
    /// Build and start it, in the background.
    Up,
    /// Stop it, and remove what it keeps.
    Down,
}

pub(crate) fn run(action: &Action) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("local");
    match action {
        Action::Up => up(&workspace, &folder),
        Action::Down => down(&folder),
    }
}

fn up(workspace: &Workspace, folder: &Path) -> Result<(), Failure> {
    if let Some(state) = Running::find(folder) {
        usage::print(&state, "it runs already");
        return Ok(());
    }
    let programs = Programs::ready(workspace)?;
    let started = start(workspace, folder, &programs);
    if started.is_err() {
        // What there is to know is in the error.
        remove(folder)?;
    }
    usage::print(&started?, "it runs");
    Ok(())
}

/// Starts it in a folder that is made new; it goes on when this process has ended.
fn start(workspace: &Workspace, folder: &Path, programs: &Programs) -> Result<Running, Failure> {
    remove(folder)?;
    let server = Server::start(folder, programs, &plan(workspace, folder, programs, plan::NO_OPTIONS))?;
    Delivered::put(&server.client, workspace)?;
    Ok(server.leave())
}

fn down(folder: &Path) -> Result<(), Failure> {
    match Running::find(folder) {
        Some(state) => {
            server::stop(&state, folder)?;
            println!("stopped {}", state.endpoint);
        }
        None => println!("no local AWS runs"),
    }
    remove(folder)
}

/// Removes the folder of a local AWS that doesn't run.
pub(crate) fn remove(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).advise(folder.display(), CHECK_DISK)?;
    }
    Ok(())
}
