//! `cargo xtask demo --aws`: an inventory is delivered, the state machine builds its index, and the index
//! is asked; all of it in a local AWS that ends with the demo, however that ends.

mod command_line;
mod execution;
mod step;
mod view;

use std::path::Path;

use crate::failure::{Advise, Failure};
use crate::local::{Delivered, INDEXES, Programs, SCRATCH, Server, plan, remove};
use crate::workspace::{Workspace, cargo, check};
use command_line::CommandLine;

/// Which demo.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The serverless build, in a local AWS of its own
    #[arg(long)]
    aws: bool,
}

/// Options that make a build of many steps out of a small inventory: chunks of one file, merges of two
/// runs, partitions of a few thousand rows.
const OPTIONS: &str = r#"{"chunk_bytes": 300000, "fan_in": 2, "partition_rows": 2000, "concurrency": 4}"#;

/// What the index is asked.
const PREFIXES: [&str; 3] = ["", "pool/main/l/linux/", "pool/main/p/python3.11/"];

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    if !args.aws {
        let mut demo = cargo();
        demo.args(["run", "--release", "--package", "s3inv-index", "--", "demo"]);
        return check(demo.current_dir(&workspace.root), "see what it says");
    }
    let programs = Programs::ready(&workspace)?;
    let folder = workspace.target.join("demo-aws");
    remove(&folder)?;
    let server = Server::start(&folder, &programs, &plan(&workspace, &folder, &programs, OPTIONS))?;
    println!("\nA local AWS at {}: six functions, a state machine, three buckets.", server.state.endpoint);
    show(&workspace, &server, &CommandLine::new(&programs, &server, &folder), &folder)?;
    server.stop()?;
    println!("\nThe local AWS has ended. What its functions logged: {}", folder.join("logs").display());
    Ok(())
}

fn show(workspace: &Workspace, server: &Server, cli: &CommandLine, folder: &Path) -> Result<(), Failure> {
    println!("\nAn inventory is delivered: {}", Delivered::manifest());
    println!("S3's event of it starts the state machine, with the options {OPTIONS}:\n");
    Delivered::put(&server.client, workspace)?;
    execution::watch(server)?;
    compare(server, cli, folder)?;
    println!("\nThe index answers from S3:");
    let index = format!("s3://{INDEXES}/{}", Delivered::index_folder());
    for prefix in PREFIXES {
        cli.query(&index, prefix)?;
    }
    println!(
        "\nWhat is left in s3://{SCRATCH}/: the tombstone, by which a function that still ran would end.\n"
    );
    for key in server.client.keys(SCRATCH)? {
        println!("  {key}");
    }
    Ok(())
}

/// The command line builds the same index of the same objects.
fn compare(server: &Server, cli: &CommandLine, folder: &Path) -> Result<(), Failure> {
    println!("\nThe command line builds it of the same objects:");
    let path = folder.join("command-line.s3inv");
    cli.build(&Delivered::manifest(), &path)?;
    let built = std::fs::read(&path).advise(path.display(), "see what the build says")?;
    let published = server.client.get(INDEXES, &Delivered::index_key())?;
    if built != published {
        let what = format!("{} and the published index differ", path.display());
        return Err(Failure::new(what, "report it, with the inventory"));
    }
    println!("  the same {} bytes", built.len());
    Ok(())
}
