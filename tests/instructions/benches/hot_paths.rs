//! Counted by `cargo xtask instructions`.

#![expect(missing_docs, clippy::unwrap_used, reason = "what the macros make, and inputs made here")]

use std::hint::black_box;

use gungraun::prelude::*;
use s3inv_index_format::{FileKind, Form, FormatError, Reader};
use s3inv_instructions::{Order, Setting, Total, csv_file, gzipped, index_of};
use s3inv_inventory::gzip::Inflater;
use s3inv_model::Schema;
use s3inv_rollup::{Interrupt, KeyRange, merge};

fn text(order: Order, all: bool) -> (Setting, Vec<u8>) {
    (Setting::new(all), csv_file(order))
}

#[library_benchmark]
#[bench::sorted(args = (Order::Sorted, false), setup = text)]
#[bench::sorted_all_measures(args = (Order::Sorted, true), setup = text)]
fn csv((setting, text): (Setting, Vec<u8>)) -> u64 {
    black_box(setting.read(black_box(&text)).unwrap())
}

fn compressed(order: Order) -> (Inflater, Vec<u8>) {
    let text = csv_file(order);
    (Inflater::new(text.len()).unwrap(), gzipped(&text))
}

#[library_benchmark]
#[bench::sorted(args = (Order::Sorted), setup = compressed)]
fn inflate((mut inflater, gz): (Inflater, Vec<u8>)) -> usize {
    black_box(inflater.whole(black_box(&gz)).unwrap().len())
}

fn empty(order: Order, all: bool) -> (Setting, Vec<u8>, Total) {
    let (setting, text) = text(order, all);
    let total = setting.total();
    (setting, text, total)
}

#[library_benchmark]
#[bench::sorted(args = (Order::Sorted, false), setup = empty)]
#[bench::shuffled(args = (Order::Shuffled, false), setup = empty)]
#[bench::shuffled_all_measures(args = (Order::Shuffled, true), setup = empty)]
fn csv_rolled_up((setting, text, mut total): (Setting, Vec<u8>, Total)) -> Total {
    setting.roll_up(black_box(&text), &mut total).unwrap();
    total
}

fn full(order: Order, all: bool) -> Total {
    let (setting, text, mut total) = empty(order, all);
    setting.roll_up(&text, &mut total).unwrap();
    total
}

#[library_benchmark]
#[bench::shuffled(args = (Order::Shuffled, true), setup = full)]
fn run(total: Total) -> Vec<Vec<u8>> {
    total.finish().unwrap()
}

fn runs(all: bool) -> (Schema, Vec<Reader<Vec<u8>>>) {
    let run = full(Order::Sorted, all).finish().unwrap().remove(0);
    let open = |run: Vec<u8>| Reader::open_kind(run, FileKind::Run).unwrap();
    let runs: Vec<_> = (0..4).map(|_| open(run.clone())).collect();
    (runs[0].info().schema.clone(), runs)
}

#[library_benchmark]
#[bench::four(args = (true), setup = runs)]
fn merged((schema, runs): (Schema, Vec<Reader<Vec<u8>>>)) -> Vec<u8> {
    let runs: Vec<_> = runs.iter().collect();
    let interrupt = Interrupt { between: &|| Ok::<(), FormatError>(()), pause: &|| false };
    let out = Vec::with_capacity(1 << 20);
    merge(&runs, &KeyRange::default(), &schema, Form::segment(false), out, &interrupt).unwrap().out
}

fn one_run(all: bool) -> Reader<Vec<u8>> {
    runs(all).1.remove(0)
}

#[library_benchmark]
#[bench::zstd(args = (true), setup = one_run)]
fn pages(run: Reader<Vec<u8>>) -> Vec<u8> {
    index_of(&run)
}

fn index(all: bool) -> Reader<Vec<u8>> {
    Reader::open_kind(index_of(&one_run(all)), FileKind::Segment).unwrap()
}

#[library_benchmark]
#[bench::present(args = (true), setup = index)]
fn found(index: Reader<Vec<u8>>) -> Reader<Vec<u8>> {
    assert!(black_box(index.get(b"usr/share/doc/package-025/html/v200/").unwrap()).is_some());
    index
}

library_benchmark_group!(
    name = hot_paths,
    benchmarks = [csv, inflate, csv_rolled_up, run, merged, pages, found]
);
main!(library_benchmark_groups = hot_paths);
