// The indexes that the examples of the front page ask: a bucket of some objects, in memory.

/// Its objects with their class and size.
const OBJECTS: [(&str, u8, u64); 7] = [
    ("logs/2024-01/a.gz", 0, 4000),
    ("logs/2024-01/b.gz", 0, 6000),
    ("logs/2024-02/eu/c.gz", 1, 3000),
    ("logs/2024-02/us/d.gz", 1, 9000),
    ("logs/index.html", 1, 10),
    ("images/cat.png", 1, 700),
    ("readme", 1, 5),
];

/// Those of the next day.
const NEXT_DAY: [(&str, u8, u64); 7] = [
    ("logs/2024-01/a.gz", 0, 4000),
    ("logs/2024-01/b.gz", 0, 6000),
    ("logs/2024-02/eu/c.gz", 1, 3000),
    ("logs/2024-02/us/d.gz", 1, 9000),
    ("logs/2024-03/e.gz", 1, 8000),
    ("logs/index.html", 1, 10),
    ("readme", 1, 5),
];

fn sample() -> Result<s3inv::Index<Vec<u8>>, s3inv::FormatError> {
    index_of(&OBJECTS)
}

fn next_day() -> Result<s3inv::Index<Vec<u8>>, s3inv::FormatError> {
    index_of(&NEXT_DAY)
}

fn index_of(objects: &[(&str, u8, u64)]) -> Result<s3inv::Index<Vec<u8>>, s3inv::FormatError> {
    use s3inv_index_format::{FileKind, Form, Reader, Writer};
    use s3inv_model::{Bin, Cell, Classes, Dates, Measure, RowCounts, Schema, SizeBin, Sums, prefix};

    let measures = [Measure::Bytes, Measure::Classes].into_iter().collect();
    let classes = Classes::from(vec!["GLACIER".to_owned(), "STANDARD".to_owned()]);
    let mut rows = std::collections::BTreeMap::<&[u8], Sums>::new();
    for &(key, class, bytes) in objects {
        let bin = Bin::Objects { class, current: true, size: SizeBin::Untold, age: None }.id();
        let ends = key.match_indices('/').map(|(at, _)| at + 1);
        for end in ends.chain([0]) {
            let cell = Cell { bin, objects: 1, bytes };
            rows.entry(&key.as_bytes()[..end]).or_default().add([cell].into_iter(), Dates::NONE);
        }
    }
    let form = Form { kind: FileKind::Index, ..Form::segment(true) };
    let mut writer = Writer::new(Vec::new(), form, &Schema { measures, classes })?;
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|a, b| prefix::compare(a.0, b.0));
    for (key, sums) in rows {
        writer.push(key, &sums.cells, sums.dates)?;
    }
    let (file, _) = writer.finish(RowCounts::default())?;
    Ok(s3inv::Index::new("sample".to_owned(), Reader::open(file)?))
}
