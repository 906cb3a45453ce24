//! Rows, as [`read`] hands them to a sink.

use s3inv_model::{Binning, Excluded};

use super::crafted::{dictionary, sound, times, varint, with};
use super::*;
use crate::fields::Field;
use crate::testing::{Seen, collect, collect_after};

fn seen(bytes: Vec<u8>, reading: &Reading) -> Seen {
    collect(reading, |rows| super::super::read(Bytes::from(bytes), limits(4096), rows))
}

fn reading(fields: &[Field], on_bad_row: OnBadRow) -> Reading {
    of(fields.iter().copied().collect(), on_bad_row)
}

#[test]
fn rows_come_out_as_they_were_written() {
    let file = dictionary().bytes();
    assert_eq!(fields(&Bytes::from(file.clone())).unwrap(), [Field::Size].into_iter().collect());
    let seen = seen(file, &reading(&[Field::Size], OnBadRow::Fail));
    assert_eq!(seen.error, None);
    assert_eq!((seen.counts.rows, seen.batches), (3, vec![3]));
    let rows: Vec<_> = seen.rows.iter().map(|row| (row.key.as_slice(), row.size)).collect();
    assert_eq!(rows, [(&b"bc"[..], 7), (b"a", 7), (b"a", 7)]);
}

#[test]
fn all_files_have_the_fields_of_the_first() {
    let error = |fields| seen(sound().bytes(), &reading(fields, OnBadRow::Skip)).error;
    assert_eq!(error(&[Field::Size]), None);
    assert_eq!(error(&[]).unwrap(), "column size: is there, but the inventory's first file lacks it");
    assert_eq!(
        error(&[Field::Size, Field::IsLatest]).unwrap(),
        "column is_latest: is missing, but the inventory's first file has it"
    );
}

/// Sizes that are texts, which nobody asks for.
#[test]
fn only_what_is_needed_has_to_be_readable() {
    let file = with(|file| file.columns[1].1 = 7).bytes();
    assert!(seen(file.clone(), &reading(&[Field::Size], OnBadRow::Fail)).error.is_some());
    let binning = Binning::new(&s3inv_model::Measures::default(), 0);
    let seen = seen(file, &Reading { binning, ..reading(&[Field::Size], OnBadRow::Fail) });
    assert_eq!((seen.error, seen.rows.len()), (None, 2));
}

/// The first moment that is too late, and the last moments there are.
#[test]
fn dates_that_cannot_be_shown_are_bad() {
    let fields = [Field::Size, Field::LastModifiedDate];
    for (second, shown) in
        [(251_982_136_800_u64, "253402207200000"), (i64::MAX as u64, "9223372036854775807")]
    {
        let mut file = times("UTC", 9);
        // Zero, and the other; no nanoseconds.
        file.streams[3].2 = [vec![254, 0], varint(second << 1)].concat();
        file.streams[4].2 = vec![254, 0, 0];
        let failed = seen(file.bytes(), &reading(&fields, OnBadRow::Fail));
        assert_eq!(failed.error.unwrap(), format!("row 2: date {shown} isn't before 9999-12-30T22:00:00Z"));
        let skipped = seen(file.bytes(), &reading(&fields, OnBadRow::Skip));
        assert_eq!((skipped.error, skipped.rows.len()), (None, 1));
        assert_eq!(skipped.counts.of(Excluded::BadDate), 1);
    }
}

#[test]
fn blocks_that_do_not_fit_the_memory_are_refused() {
    let file = with(|file| (file.compression, file.block) = (1, 300_000)).bytes();
    let error = |block| {
        let limits = Limits { block, ..limits(4096) };
        let file = Bytes::from(file.clone());
        let reading = reading(&[Field::Size], OnBadRow::Fail);
        collect(&reading, |rows| super::super::read(file, limits, rows)).error.unwrap()
    };
    assert_eq!(error(299_999), "compression blocks of 300000 bytes don't fit the memory budget");
    // The crafted bytes aren't compressed.
    assert!(error(300_000).starts_with("damaged orc file: "));
}

/// A file of large stripes, which lie beyond what is fetched with its end, of 1300 rows each.
fn large_stripes() -> Vec<u8> {
    let file = with(|file| {
        // Runs of 130 values.
        let run = |value: u8| [127, 0, value].repeat(10);
        file.columns = vec![("key", 7, 0, 0), ("size", 4, 0, 0)];
        file.streams = vec![(2, 1, run(100)), (1, 1, vec![b'k'; 130_000]), (1, 2, run(14))];
        (file.rows, file.stripes, file.footer_rows) = (1300, 5, 6500);
    });
    file.bytes()
}

#[test]
fn stripes_that_are_known_are_not_fetched() {
    let (bytes, reading) = (large_stripes(), reading(&[Field::Size], OnBadRow::Fail));
    let stripes = Tail::read(&Bytes::from(bytes.clone()), 4096, MAX_BLOCK).unwrap().stripes;
    for (known, stripe) in
        [(0, 0), (1299, 0), (1300, 1), (1301, 1), (4000, 3), (6499, 4), (6500, 5), (9999, 5)]
    {
        let file = Watched::new(bytes.clone());
        let seen = collect_after(known, &reading, |rows| super::super::read(&file, limits(4096), rows));
        let left = 6500_usize.saturating_sub(known);
        assert_eq!((seen.error, seen.rows.len(), seen.counts.rows), (None, left, left as u64));
        // The first fetch is of the file's end.
        let first = file.reads.into_inner().unwrap()[1..].iter().map(|&(at, _)| at).min();
        assert_eq!(first, stripes.get(stripe).map(|stripe| stripe.offset), "{known}");
    }
}

/// Whoever has got all rows of a stripe may pass it by next time: what is wrong with it has to be told before.
#[test]
fn a_stripe_is_checked_before_its_last_rows_are_handed_over() {
    let file = with(|file| (file.rows, file.footer_rows) = (1, 1)).bytes();
    let seen = seen(file, &reading(&[Field::Size], OnBadRow::Fail));
    assert!(seen.error.unwrap().contains("has more values than its stripe has rows"));
    assert!(seen.batches.is_empty());
}

/// A window's worth of a few streams, and none of a column that nobody needs.
#[test]
fn only_what_is_needed_is_fetched() {
    const ROWS: usize = 130 * 100;
    const WINDOW: usize = 16 << 10;
    let file = with(|file| {
        // Runs of 130 values.
        let run = |value: u8| [127, 0, value].repeat(ROWS / 130);
        file.columns = vec![("key", 7, 0, 0), ("e_tag", 7, 0, 0), ("size", 4, 0, 0)];
        file.streams = vec![
            (2, 1, run(20)),
            (1, 1, vec![b'k'; ROWS * 20]),
            (2, 2, run(100)),
            (1, 2, vec![b'e'; ROWS * 100]),
            (1, 3, run(14)),
        ];
        (file.rows, file.footer_rows) = (ROWS as u64, ROWS as u64);
    });
    let file = Watched::new(file.bytes());
    let reading = reading(&[Field::Size], OnBadRow::Fail);
    let seen = collect(&reading, |rows| super::super::read(&file, limits(WINDOW), rows));
    assert_eq!((seen.rows.len(), seen.error), (ROWS, None));
    let reads = file.reads.into_inner().unwrap();
    let bytes: usize = reads.iter().map(|&(_, len)| len).sum();
    let needed = ROWS * 20 + 2 * 3 * ROWS / 130;
    // The file's end, and the stripe's footer.
    assert!((needed..needed + (33 << 10)).contains(&bytes), "{bytes} bytes for {needed}");
    assert!(reads.len() <= needed / WINDOW + 3 + 2, "{} reads", reads.len());
}
