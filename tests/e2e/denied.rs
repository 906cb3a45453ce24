//! Permissions that are missing.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use s3inv_tests::Finished;

use crate::trial::Trial;

impl Trial {
    /// Runs a build while a place has these permissions. They bind root too, who has given up what makes
    /// root exempt.
    fn run_while(&self, place: &Path, mode: u32) -> Finished {
        let before = fs::metadata(place).unwrap();
        fs::set_permissions(place, Permissions::from_mode(mode)).unwrap();
        let build = self.build();
        let build = match before.uid() {
            0 => build.under("setpriv", ["--bounding-set=-all"]),
            _ => build,
        };
        let finished = build.run();
        fs::set_permissions(place, before.permissions()).unwrap();
        finished
    }
}

#[test]
fn what_may_not_be_read_or_written_is_named() {
    let trial = Trial::new(1_000);
    let manifest = &trial.delivered.manifest;
    let checksum = manifest.with_extension("checksum");
    let data = trial.delivered.files[1].clone();
    for (place, mode, phase, named) in [
        (trial.folder.temp(), 0o500, "manifest phase: read manifest", "temp/s3inv-index-"),
        (trial.folder.temp(), 0o000, "manifest phase: read manifest", "temp: "),
        (trial.folder.out(), 0o500, "manifest phase: read manifest", "out/index.s3inv: "),
        (trial.folder.out(), 0o300, "manifest phase: read manifest", "out/index.s3inv: "),
        (trial.folder.out(), 0o000, "manifest phase: read manifest", "out/index.s3inv: "),
        (manifest.clone(), 0o000, "manifest phase: read manifest", "manifest.json: "),
        (checksum, 0o000, "manifest phase: read manifest", "manifest.checksum: "),
        (data.clone(), 0o000, "ingest phase: process chunk", "00000001-5b2c-4d1e-9f3a-000000000000.csv.gz: "),
        (data.parent().unwrap().to_owned(), 0o000, "ingest phase: process chunk", "data/0000000"),
    ] {
        let error = trial.plain(&trial.failed(&trial.run_while(&place, mode)));
        let cause = error.trim_end_matches(')').ends_with("ermission denied (os error 13");
        assert!(error.starts_with(phase) && error.contains(named) && cause, "{place:?} {mode:o}: {error}");
    }
}

/// It is replaced, not written into: what counts is the folder.
#[test]
fn an_old_index_that_may_not_be_written_is_replaced() {
    let trial = Trial::new(1_000);
    let finished = trial.run_while(&trial.folder.index(), 0o000);
    assert_eq!(trial.ended(&finished), None);
}
