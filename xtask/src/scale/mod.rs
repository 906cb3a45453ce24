//! `cargo xtask scale`: what builds of any size would take and cost. Arithmetic, no run: from rates that
//! were measured, limits and prices of AWS, and the code's own division of the work.

mod rates;
mod steps;

use crate::table::{Column, Table};
use rates::{RATES, aws};
use steps::{Build, Step};

/// What a deployment is like.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Objects in the inventory; several numbers make several tables.
    #[arg(long, value_delimiter = ',', default_value = "1e9,1e10,1e11,1e12")]
    objects: Vec<f64>,
    /// Functions at once.
    #[arg(long, default_value = "1000")]
    concurrency: u32,
    /// Memory of plan, in MB.
    #[arg(long, default_value = "1769")]
    plan_memory: f64,
    /// Memory of ingest, in MB.
    #[arg(long, default_value = "3008")]
    ingest_memory: f64,
    /// Memory of merge, in MB.
    #[arg(long, default_value = "1769")]
    merge_memory: f64,
    /// Memory of publish, in MB.
    #[arg(long, default_value = "1769")]
    publish_memory: f64,
}

pub(crate) fn run(args: &Args) {
    println!(
        "A processor reads {} rows a second and merges {}; a row has {} bytes compressed; {} rows make a \
         prefix; {} functions at once.\n",
        RATES.ingest_rows, RATES.merge_rows, RATES.row_bytes, RATES.rows_per_prefix, args.concurrency
    );
    for &objects in &args.objects {
        print_one(objects, &Build::new(objects, args, &RATES));
    }
}

fn columns() -> Vec<Column<Step>> {
    vec![
        ("step", |step| step.name.clone()),
        ("calls", |step| format!("{:.0}", step.calls)),
        ("at once", |step| format!("{:.0}", step.at_once)),
        ("seconds", |step| format!("{:.1}", step.seconds)),
        ("$", |step| format!("{:.4}", step.dollars())),
        ("limited by", |step| step.limit.to_owned()),
    ]
}

fn print_one(objects: f64, build: &Build) {
    let mut table = Table::new(columns());
    build.steps.iter().for_each(|step| table.push(step));
    let sum = |of: fn(&Step) -> f64| build.steps.iter().map(of).sum::<f64>();
    println!("## {objects:e} objects\n\n{table}");
    println!(
        "Together {:.0} s ({:.1} minutes) and ${:.2}, of which requests to S3 are ${:.2} and transitions ${:.2}.",
        sum(|step| step.seconds),
        sum(|step| step.seconds) / 60.0,
        sum(Step::dollars),
        sum(|step| step.reads) * aws::READ + sum(|step| step.writes) * aws::WRITE,
        sum(|step| step.transitions) * aws::TRANSITION,
    );
    let gb = |bytes: f64| bytes / f64::from(1 << 30);
    println!(
        "Besides: logs ${:.2}; KMS without bucket keys ${:.2}; a NAT gateway instead of an endpoint ${:.2}; an \
         inventory in another Region ${:.2}. Inventory {:.1} GiB, runs {:.1} GiB, index {:.1} GiB.\n",
        gb(sum(|step| step.calls) * RATES.log) * aws::LOGS_GB,
        (sum(|step| step.reads) + sum(|step| step.writes)) * aws::KMS,
        gb(build.inventory + 2.0 * build.scratch) * aws::NAT_GB,
        gb(build.inventory) * aws::TRANSFER_GB,
        gb(build.inventory),
        gb(build.scratch),
        gb(build.index),
    );
}
