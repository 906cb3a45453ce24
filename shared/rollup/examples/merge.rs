//! How fast runs are merged, in memory and by one thread.
//!
//!     cargo run --release -p s3inv-rollup --example merge
//!     cargo run --release -p s3inv-rollup --example merge -- scattered few 20
//!
//! Words choose among the cases. Four million objects, ten a directory of eight components, become so many
//! runs: of consecutive keys (*sorted*), which merge to as many rows as they have, or of keys in no order
//! (*scattered*), where most directories are in several runs. *few* measures are bytes, classes and cost.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::error::Error;
use std::hint::black_box;
use std::io;

use s3inv_index_format::{FileKind, Form, FormatError, Info, Reader};
use s3inv_model::{Binning, Classes, Dates, Measure, Measures, Object, RowCounts};
use s3inv_rollup::{Interrupt, KeyRange, Rollup, RunSink, TableBudget, merge};
use xxhash_rust::xxh3::xxh3_64;

type Done<T> = Result<T, Box<dyn Error>>;

const OBJECTS: u64 = 4_000_000;
const SNAPSHOT_MS: u64 = 1_750_000_000_000;
const DAY_MS: u64 = 86_400_000;
const FAN_INS: [u64; 5] = [2, 5, 20, 100, 1000];

fn main() -> Done<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "{:32} {:>10} {:>10} {:>8} {:>8}",
        "million rows a second", "rows", "merged", "to a run", "segment"
    );
    for order in ["sorted", "scattered"] {
        for measures in ["few", "all"] {
            for fan_in in FAN_INS {
                let case = format!("{order} {measures} {fan_in}");
                if words.iter().all(|word| case.split(' ').any(|part| part == word)) {
                    show(&case, &runs(order, measures, fan_in)?)?;
                }
            }
        }
    }
    Ok(())
}

fn show(case: &str, runs: &[Reader<Vec<u8>>]) -> Done<()> {
    let rows: u64 = runs.iter().map(|run| run.info().prefixes).sum();
    let case = format!("{case}, {} runs", runs.len());
    let (merged, as_run) = merged(runs, Form::RUN)?;
    let (_, as_segment) = self::merged(runs, Form::segment(false))?;
    let rate = |seconds: f64| rows as f64 / seconds / 1e6;
    println!("{case:32} {rows:10} {merged:10} {:8.2} {:8.2}", rate(as_run), rate(as_segment));
    Ok(())
}

/// The rows that runs merge to, and the seconds of a processor that it takes.
fn merged(runs: &[Reader<Vec<u8>>], form: Form) -> Done<(u64, f64)> {
    let (mut rows, mut best) = (0, f64::INFINITY);
    let runs: Vec<_> = runs.iter().collect();
    let Some(schema) = runs.first().map(|run| &run.info().schema) else { return Ok((rows, best)) };
    let interrupt = Interrupt { between: &|| Ok::<(), FormatError>(()), pause: &|| false };
    for _ in 0..5 {
        let out = Vec::with_capacity(64 << 20);
        let began = processor_seconds()?;
        let merged = merge(&runs, &KeyRange::default(), schema, form, out, &interrupt)?;
        best = best.min(processor_seconds()? - began);
        rows = black_box(merged).info.prefixes;
    }
    Ok((rows, best))
}

/// What this thread has had, whatever else the machine does: Linux says it in nanoseconds.
fn processor_seconds() -> Done<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(times.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

/// Keeps runs in memory.
#[derive(Default)]
struct Memory(Vec<Vec<u8>>);

impl RunSink for Memory {
    type Out = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn done(&mut self, out: Vec<u8>, _: Info) -> io::Result<()> {
        self.0.push(out);
        Ok(())
    }
}

fn runs(order: &str, measures: &str, count: u64) -> Done<Vec<Reader<Vec<u8>>>> {
    let few = [Measure::Bytes, Measure::Classes, Measure::Cost];
    let measures: Measures = if measures == "few" { few.into_iter().collect() } else { Measures::all() };
    let binning = Binning::new(&measures, SNAPSHOT_MS);
    let mut classes = Classes::default();
    for class in ["STANDARD", "STANDARD_IA", "GLACIER_IR"] {
        classes.add(class.as_bytes(), b"")?;
    }
    let mut runs = Vec::new();
    for part in 0..count {
        let part = OBJECTS * part / count..OBJECTS * (part + 1) / count;
        let counts = RowCounts { rows: part.end - part.start, ..RowCounts::default() };
        let budget = TableBudget::new((2 << 30) / count as usize + (16 << 20), &measures);
        let mut rollup = Rollup::new(budget, None, measures.clone(), Memory::default());
        for nth in part {
            // The factor and the number of objects have no divisor in common.
            let nth = if order == "sorted" { nth } else { nth * 2_654_435_761 % OBJECTS };
            let (key, object) = object(nth, &binning, &classes);
            rollup.add::<FormatError>([Object { key: &key, ..object }].into_iter(), &classes, &|| Ok(()))?;
        }
        runs.extend(rollup.finish::<FormatError>(&classes, &counts, &|| Ok(()))?.0);
    }
    Ok(runs.into_iter().map(|run| Reader::open_kind(run, FileKind::Run)).collect::<Result<_, _>>()?)
}

/// An object, but for its key, which stands beside it.
fn object(nth: u64, binning: &Binning, classes: &Classes) -> (Vec<u8>, Object<'static>) {
    let (part, hash) = (nth / 10, xxh3_64(&nth.to_le_bytes()));
    let (day, month, service) = (part / 10, part / 300, part / 3600);
    let team = ["analytics", "billing", "catalog", "delivery", "experiments", "fraud", "identity", "logs"];
    let key = format!(
        "datalake/{}/service-{:03}/events_v2/year={}/month={:02}/day={:02}/part-{:05x}/{hash:016x}.parquet",
        team[(service / 16) as usize % team.len()],
        service % 128,
        2020 + month / 12 % 5,
        month % 12 + 1,
        day % 30 + 1,
        xxh3_64(&part.to_le_bytes()) & 0xf_0000 | (part % 0x1_0000),
    );
    let class = if month.is_multiple_of(3) {
        1
    } else if hash.is_multiple_of(100) {
        2
    } else {
        0
    };
    let size = (hash >> 20) >> (20 + hash % 16);
    let modified = SNAPSHOT_MS - (day % 1000) * DAY_MS - hash % DAY_MS;
    let bin = binning.current(classes, class, size, modified);
    let dates = if binning.measures().has(Measure::Dates) { Dates::at(modified) } else { Dates::NONE };
    (key.into_bytes(), Object { key: &[], bin, size, dates })
}
