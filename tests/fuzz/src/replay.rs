//! The corpus, and what is near to it.

use std::fs;
use std::path::Path;

use crate::{TARGETS, Target};

/// Changed files of each target, all seeds together.
const CHANGES: usize = 6000;

/// Numbers that are the same in every run (an LCG with Knuth's constants).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "{} seeds in {}", paths.len(), folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn change(random: &mut Seeded, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
        2 => bytes.iter_mut().skip(at).take(1 + random.below(8)).for_each(|byte| *byte = 0xff),
        3 => {
            let odd = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n', b','];
            bytes.splice(at..at, odd.into_iter().take(1 + random.below(8)));
        }
        4 => {
            bytes.drain(at..(at + random.below(16)).min(bytes.len()));
        }
        _ => {
            let from = random.below(other.len());
            let piece = other.iter().skip(from).take(random.below(64)).copied().collect::<Vec<_>>();
            bytes.splice(at..(at + piece.len()).min(bytes.len()), piece);
        }
    }
}

fn replay(name: &str) {
    let target: Target = TARGETS.iter().find(|(known, _)| *known == name).unwrap().1;
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    let mut random = Seeded(7);
    for _ in 0..CHANGES {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        let other = &seeds[random.below(seeds.len())];
        for _ in 0..=random.below(3) {
            change(&mut random, &mut bytes, other);
        }
        target(&bytes);
    }
}

#[test]
fn csv() {
    replay("csv");
}

#[test]
fn event() {
    replay("event");
}

#[test]
fn forged() {
    replay("forged");
}

#[test]
fn gzip() {
    replay("gzip");
}

#[test]
fn index() {
    replay("index");
}

#[test]
fn manifest() {
    replay("manifest");
}

#[test]
fn orc() {
    replay("orc");
}

#[test]
fn parquet() {
    replay("parquet");
}

#[test]
fn prices() {
    replay("prices");
}
