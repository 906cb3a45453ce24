use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use s3inv::Scope;
use s3inv_cancel::{Cancellation, CancellationToken, SystemClock};
use s3inv_pipeline::{BuildOptions, Location, Measures, OnBadRow, Progress};
use s3inv_store::lease::ScratchDir;

use super::build::{processors, run, summarise};
use super::query::Answer;
use super::{failed, open, print};
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::limits;
use crate::logs::Screen;
use crate::place::Place;
use crate::row::Shown;

/// An inventory as S3 delivers it; `demo/README.md` says what in it is real.
const INVENTORY: [(&str, &[u8]); 5] = [
    ("manifest.json", include_bytes!("../../demo/manifest.json")),
    ("manifest.checksum", include_bytes!("../../demo/manifest.checksum")),
    ("data/part-0.csv.gz", include_bytes!("../../demo/data/part-0.csv.gz")),
    ("data/part-1.csv.gz", include_bytes!("../../demo/data/part-1.csv.gz")),
    ("data/part-2.csv.gz", include_bytes!("../../demo/data/part-2.csv.gz")),
];

/// What it is asked.
const PREFIXES: [&str; 3] = ["", "pool/main/l/linux/", "pool/main/p/python3.11/"];

pub(crate) fn demo(args: &DemoArgs, screen: &Screen) -> Result<(), Failure> {
    let scratch =
        ScratchDir::create(&std::env::temp_dir()).map_err(|error| Failure::Other(error.to_string()))?;
    let folder = scratch.path();
    deliver(folder).map_err(|error| Failure::Other(format!("{}: {error}", folder.display())))?;
    let temporary = folder.join("demo.s3inv").display().to_string();
    let out = args.out.as_deref().unwrap_or(&temporary);
    screen.line(
        "An S3 Inventory of the packages of Debian 12 (real paths and sizes, made-up storage classes).",
    );
    let token = CancellationToken::new();
    let options = BuildOptions {
        manifest: Location::parse(&folder.join("manifest.json").display().to_string())?,
        out: Place::parse(out)?.new_index(),
        workers: processors().min(NonZeroUsize::MIN.saturating_add(INVENTORY.len())),
        max_depth: None,
        memory: limits::default_budget(),
        temp_dir: std::env::temp_dir(),
        verify_md5: false,
        lookup: false,
        measures: Measures::all(),
        on_bad_row: OnBadRow::Fail,
        sdk_config: None,
        cancellation: Cancellation::new(token.clone(), Arc::new(SystemClock::new())),
        progress: Arc::new(Progress::default()),
    };
    let report = run(options, &token, screen)?;
    summarise(&report, screen);
    answers(out)?;
    let keep = match &args.out {
        Some(out) => format!("\nAsk more: s3inv-index query --index {out} --prefix pool/main/ --show-tiers"),
        None => "\nTo keep the index and ask more: s3inv-index demo --out demo.s3inv".to_owned(),
    };
    print(|stdout| writeln!(stdout, "{keep}"))
}

fn deliver(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder.join("data"))?;
    INVENTORY.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}

fn answers(index: &str) -> Result<(), Failure> {
    let index = open(index)?;
    for prefix in PREFIXES {
        let Some(stats) = index.stats(prefix.as_bytes()).map_err(failed(&index))? else { continue };
        let scope = Scope::new(prefix);
        let answer = Answer::new(&index, &scope, &stats);
        print(|out| {
            writeln!(out, "\n$ s3inv-index query --prefix '{prefix}' --show-tiers")?;
            write!(out, "{}", answer.text(Shown { tiers: true, details: false, human: false }))
        })?;
    }
    Ok(())
}
