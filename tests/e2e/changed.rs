//! Data files that change while they are read, or that are not those which the manifest lists.

use std::fs;
use std::path::Path;

use s3inv_tests::{
    Answer, CURRENT, Cli, Delivered, Delivery, FakeS3, Folder, Row, Signal, folder, md5_hex, s3inv,
};

use crate::build::build;
use crate::cancel::long;

fn slow_build(folder: &Folder, delivered: &Delivered) -> Cli {
    let build = s3inv(["build", "--verbose", "--mem-budget", "16MiB", "--workers", "1"]);
    let build = build.arg("--s3-manifest", &delivered.manifest);
    build.arg("--out", folder.index()).arg("--temp-dir", folder.temp())
}

/// Puts a new file in a file's place, at once: even with the same bytes it is another object. A process that
/// was just told to stop may still look.
fn replace(file: &Path, bytes: &[u8]) {
    let beside = file.with_extension("new");
    fs::write(&beside, bytes).unwrap();
    fs::rename(beside, file).unwrap();
}

/// The file is changed while the build stands still, with most of it not yet read.
#[test]
fn a_local_file_that_changes_while_it_is_read() {
    let folder = folder();
    let delivered = long().write(&folder.input());
    let file = &delivered.files[0];
    let whole = fs::read(file).unwrap();
    let half = &whole[..whole.len() / 2];
    let longer = [whole.as_slice(), b"more"].concat();
    for bytes in [&whole[..], half, &longer] {
        fs::write(file, &whole).unwrap();
        let mut running = slow_build(&folder, &delivered).start();
        running.wait_for(&["run written"]);
        running.signal(Signal::SIGSTOP);
        replace(file, bytes);
        running.signal(Signal::SIGCONT);
        let error = running.finish().error();
        let expected =
            format!("ingest phase: process chunk: {}: changed since its size was read", file.display());
        assert_eq!(error, expected);
        folder.assert_left(&[]);
    }
}

/// Compared with its MD5, and replaced before all of it is read: the rest is not what was compared.
#[test]
fn a_local_file_that_changes_after_it_was_compared() {
    let folder = folder();
    let rows: Vec<Row> = s3inv_tests::single_objects(200_000).collect();
    let delivered = Delivery::parquet(&rows, 1, CURRENT).write(&folder.input());
    let mut running = slow_build(&folder, &delivered).flag("--verify-md5").start();
    // The memory is full long before all of its row groups, of a hundred rows each, are fetched.
    running.wait_for(&["run written"]);
    running.signal(Signal::SIGSTOP);
    let file = &delivered.files[0];
    replace(file, &fs::read(file).unwrap());
    running.signal(Signal::SIGCONT);
    let error = running.finish().error();
    let cause = "changed since its size was read";
    assert_eq!(error, format!("ingest phase: process chunk: {}: {cause}", file.display()));
    folder.assert_left(&[]);
}

/// What S3 serves is asked for by the `ETag` that it had when its size was compared.
#[test]
fn an_object_of_s3_that_changes_while_it_is_read() {
    let rows = [Row::new("a/b", 1), Row::new("c", 2)];
    for (delivery, phase) in [
        (Delivery::csv(&rows, 1), "ingest phase: process chunk"),
        (Delivery::parquet(&rows, 1, CURRENT), "manifest phase: read manifest"),
    ] {
        let (manifest, key) = (delivery.manifest_key(), delivery.files[0].key.clone());
        let objects = delivery.objects();
        let fake = FakeS3::start(move |request| {
            let found = objects.iter().find(|(key, _)| request.target.contains(key.as_str()));
            match found {
                Some((key, _)) if key.contains("/data/") && request.method == "GET" => Answer::Changed,
                Some((_, bytes)) => Answer::Object(bytes.clone()),
                None => Answer::Stall,
            }
        });
        let folder = folder();
        let build = s3inv(["build"]).arg("--s3-manifest", format!("s3://reports/{manifest}"));
        let build = build.arg("--out", folder.index()).arg("--temp-dir", folder.temp());
        let error = build.envs(fake.environment()).run().error();
        assert_eq!(error, format!("{phase}: s3://reports/{key}: changed since its size was read"));
        let asked = fake.wait_for(|request| request.method == "GET" && request.target.contains("/data/"));
        assert_eq!(asked.if_match.as_deref(), Some("\"e\""));
        folder.assert_left(&[]);
    }
}

/// Of several files, the one whose bytes are others is named, with both sums.
#[test]
fn a_file_with_another_md5_is_named() {
    let rows: Vec<Row> = (0..100).map(|nth| Row::new(format!("d/{nth}"), nth)).collect();
    for (delivery, flag) in [
        (Delivery::csv(&rows, 4), "--verbose"),
        (Delivery::csv(&rows, 4).ending(".csv.gz", ".anything"), "--verbose"),
        (Delivery::parquet(&rows, 4, CURRENT), "--verify-md5"),
    ] {
        let folder = folder();
        let delivered = delivery.write(&folder.input());
        let mut bytes = delivery.files[2].bytes.clone();
        // The last byte: of gzip's own length, or of Parquet's magic.
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&delivered.files[2], &bytes).unwrap();
        let (got, said) = (md5_hex(&bytes), md5_hex(&delivery.files[2].bytes));
        let expected = format!("{}: its MD5 is {got}, but the manifest says {said}", delivery.files[2].key);
        for workers in ["1", "3"] {
            let error = build(&folder, &delivered).flag(flag).arg("--workers", workers).run().error();
            assert!(error.ends_with(&expected), "{error}");
            folder.assert_left(&[]);
        }
    }
}
