//! How long it takes to find a prefix in a mapped file, beside a chase of pointers through the same bytes,
//! which shows what a cache miss takes on this machine.
//!
//!     cargo run --release -p s3inv-index-format --example lookup -- 10000000
//!     cargo run --release -p s3inv-index-format --example lookup -- my-bucket.s3inv
//!
//! A number stands for an index of so many prefixes that is made for it, in the system's temporary folder.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use s3inv_index_format::{FileKind, Form, Mapped, ReadAt, Reader, Tail, Writer};
use s3inv_model::{Bin, Cell, Classes, Dates, Measure, RowCounts, Schema, SizeBin};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

type Done<T> = Result<T, Box<dyn Error>>;
type Keys = Vec<Vec<u8>>;

/// Prefixes that are looked for, at most: their buckets are more than caches hold.
const SAMPLE: usize = 1 << 20;
/// Prefixes that are given to `get_many` at once.
const BATCH: usize = 256;
const THREADS: [usize; 4] = [1, 2, 4, 8];

fn main() -> Done<()> {
    let Some(what) = std::env::args().nth(1) else {
        return Err("give a number of prefixes, or an index".into());
    };
    let path = match what.parse() {
        Ok(prefixes) => made(prefixes)?,
        Err(_) => what.into(),
    };
    let reader = Reader::open(Mapped::open(&File::open(&path)?)?)?;
    let (present, missing) = sample(&reader)?;
    let touched = touched(&path, &present)?;
    println!("{} prefixes, {} bytes", reader.info().prefixes, reader.len());
    let miss = nanoseconds(touched.len(), || chase(&path, &touched))?;
    println!("{:24} {miss:8.1} ns  1.00", "cache miss");
    let show = |name: &str, ns: f64| println!("{name:24} {ns:8.1} ns  {:.2}", ns / miss);
    show("present", nanoseconds(present.len(), || one_by_one(&reader, &present))?);
    show("missing", nanoseconds(missing.len(), || one_by_one(&reader, &missing))?);
    for threads in THREADS {
        let all = |keys: &[Vec<u8>]| nanoseconds(keys.len(), || in_batches(&reader, keys, threads));
        show(&format!("present, batch, {threads} threads"), all(&present)?);
        show(&format!("missing, batch, {threads} threads"), all(&missing)?);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "it is a clock that is wanted here")]
fn nanoseconds(count: usize, work: impl Fn() -> Done<()>) -> Done<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let began = std::time::Instant::now();
        work()?;
        best = best.min(began.elapsed().as_secs_f64() * 1e9 / count as f64);
    }
    Ok(best)
}

/// Each is looked for when the one before it has been found.
fn one_by_one<R: ReadAt>(reader: &Reader<R>, keys: &[Vec<u8>]) -> Done<()> {
    let mut at = 0;
    while let Some(key) = keys.get(at) {
        let found = reader.get(key)?;
        let objects = found.and_then(|sums| Some(sums.cells.first()?.objects)).unwrap_or(0);
        // Nothing has so many objects, which processors can't know.
        at += 1 + (objects >> 60) as usize;
    }
    Ok(())
}

fn in_batches<R: ReadAt>(reader: &Reader<R>, keys: &[Vec<u8>], threads: usize) -> Done<()> {
    let work = |keys: &[Vec<u8>]| {
        keys.chunks(BATCH).try_for_each(|keys| {
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            reader.get_many(&keys).map(|found| drop(black_box(found)))
        })
    };
    std::thread::scope(|scope| {
        let parts = keys.chunks(keys.len().div_ceil(threads).max(1));
        let running: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().try_for_each(|thread| Ok(thread.join().map_err(|_| "a thread panicked")??))
    })
}

/// Some prefixes that are there, and some that are not, in no order.
fn sample<R: ReadAt>(reader: &Reader<R>) -> Done<(Keys, Keys)> {
    let every = (reader.info().prefixes as usize).div_ceil(SAMPLE).max(1);
    let (mut rows, mut present) = (reader.rows()?, Vec::new());
    let mut number = 0;
    while rows.advance()? {
        if number % every == 0 {
            present.push(rows.key().to_vec());
        }
        number += 1;
    }
    present.sort_by_key(|key| xxh3_64(key));
    let missing = present.iter().map(|key| {
        let (_, name) = key.split_last().unwrap_or((&0, &[]));
        [name, b"?/"].concat()
    });
    Ok((present.clone(), missing.collect()))
}

/// A mapped file that notes what is asked for.
struct Noted(Mapped, Mutex<Vec<u64>>);

impl ReadAt for Noted {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.0.tail(len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.1.lock().ok()?.push(offset);
        self.0.slice(offset, len)
    }
}

/// Where the buckets of these are, in no order.
fn touched(path: &Path, keys: &[Vec<u8>]) -> Done<Vec<u64>> {
    let file = Arc::new(Noted(Mapped::open(&File::open(path)?)?, Mutex::default()));
    let reader = Reader::open(Arc::clone(&file))?;
    for key in keys {
        reader.get(key)?;
    }
    let mut noted = std::mem::take(&mut *file.1.lock().map_err(|_| "a thread panicked")?);
    noted.sort_unstable();
    noted.dedup();
    noted.sort_by_key(|offset| xxh3_64(&offset.to_le_bytes()));
    Ok(noted)
}

/// Reads a byte at each of these, when the one before it is there.
fn chase(path: &Path, offsets: &[u64]) -> Done<()> {
    let file = Mapped::open(&File::open(path)?)?;
    let mut at = 0;
    while let Some(&offset) = offsets.get(at) {
        let byte = file.slice(offset, 1).and_then(|bytes| bytes.first()).ok_or("the file is shorter now")?;
        // No byte is so large, which processors can't know.
        at += 1 + (black_box(usize::from(*byte)) >> 8);
    }
    Ok(())
}

/// Writes an index of so many prefixes, each of an object with a name of its own.
fn made(prefixes: u128) -> Done<PathBuf> {
    let path = std::env::temp_dir().join(format!("lookup-{prefixes}.s3inv"));
    let mut classes = Classes::default();
    classes.add(b"STANDARD", b"")?;
    let measures = [Measure::Bytes, Measure::Classes, Measure::Cost].into_iter().collect();
    let form = Form { kind: FileKind::Index, ..Form::segment(true) };
    let out = BufWriter::new(File::create(&path)?);
    let mut writer = Writer::new(out, form, &Schema { measures, classes })?;
    let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
    let mut push = |key: &str| {
        let bytes = xxh3_64(key.as_bytes()) >> 44;
        writer.push(key.as_bytes(), &[Cell { bin, objects: 1, bytes }], Dates::NONE)
    };
    push("")?;
    push("data/")?;
    (0..256).try_for_each(|shard| push(&format!("data/{shard:02x}/")))?;
    for shard in 0..256u128 {
        let mut names: Vec<_> =
            (0..prefixes / 256).map(|n| xxh3_128(&(n << 8 | shard).to_le_bytes())).collect();
        names.sort_unstable();
        names.iter().try_for_each(|name| push(&format!("data/{shard:02x}/{name:032x}/")))?;
    }
    writer.finish(RowCounts::default())?.0.flush()?;
    Ok(path)
}
