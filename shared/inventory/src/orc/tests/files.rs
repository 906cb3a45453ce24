//! Files by the Java writer. Their columns have other names: here they are read by number.

use std::fs;

use super::super::schema::{Kind, Leaf};
use super::super::stripe::times_of;
use super::*;

#[test]
fn the_java_writers_columns() {
    let folder = super::python::written(7, "java");
    let bytes = fs::read(folder.path().join("java-1.bin")).unwrap();
    let file = OrcFile::open(Bytes::from(bytes), limits(4096)).unwrap();
    let leaf = |id, kind| Some(Leaf { id, kind });
    let (size, class, latest) = (leaf(5, Kind::Long), leaf(8, Kind::Binary), leaf(1, Kind::Boolean));
    let columns = Columns::of(Leaf { id: 9, kind: Kind::String }, [size, class, None, latest, None, None]);
    let mut stripe = file.stripe(0, &columns).unwrap();
    let batch = stripe.next_batch().unwrap().unwrap();
    assert_eq!((batch.key.text(0), batch.key.text(1)), (Some(&b"hi"[..]), Some(&b"bye"[..])));
    assert_eq!(batch.size.as_ref().unwrap(), &[Some(i64::MAX), Some(i64::MAX)]);
    assert_eq!(batch.latest.as_ref().unwrap(), &[Some(false), Some(true)]);
    assert_eq!(batch.class.as_ref().unwrap().text(0), Some(&[0, 1, 2, 3, 4][..]));
    assert!(stripe.next_batch().unwrap().is_none());
}

/// Times from 1900 to 1969, with tenths of milliseconds, of the zone `US/Pacific`. What is read
/// without regard to the zone differs by whole hours.
#[test]
fn the_java_writers_times() {
    let folder = super::python::written(7, "java");
    let bytes = fs::read(folder.path().join("java-2.bin")).unwrap();
    let expected = fs::read_to_string(folder.path().join("java-2.tsv")).unwrap();
    let expected: Vec<i64> = expected.lines().map(|line| line.parse().unwrap()).collect();
    let file = OrcFile::open(Bytes::from(bytes), limits(4096)).unwrap();
    assert_eq!((file.tail.rows, file.stripes().len()), (70_000, 8));
    let (mut got, mut part) = (Vec::new(), Vec::new());
    for info in file.stripes() {
        let directory = Directory::read(&file.reader, file.tail.layout, info, &[1]).unwrap();
        let zone = directory.check_zone().unwrap_err().to_string();
        assert!(zone.contains("times of the zone US/Pacific"), "{zone}");
        let mut times = times_of(&directory, Leaf { id: 1, kind: Kind::TimestampInstant }).unwrap();
        times.fill(info.rows as usize, &mut part).unwrap();
        times.ended().unwrap();
        got.extend(part.iter().map(|time| time.unwrap()));
    }
    assert_eq!(got.len(), expected.len());
    for (row, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let hours = (got - expected) / 3_600_000;
        assert!(
            (got - expected) % 3_600_000 == 0 && (-1..=1).contains(&hours),
            "row {row}: {got}, not {expected}"
        );
    }
}
