//! Files of the index format.

use s3inv_index_format::{FileKind, Form, FormatError, Joiner, Origin, Reader, Writer, fuzz, verify};
use s3inv_model::{Bin, Cell, Classes, Dates, Measures, RowCounts, Schema, SizeBin};

const GOLDEN: &[u8] = include_bytes!("../../../shared/index/spec/golden-v4.s3inv");
/// With tables.
const GOLDEN_TABLES: &[u8] = include_bytes!("../../../shared/index/spec/golden-v4-tables.s3inv");

/// A file as it is: mostly, a checksum stops it.
pub(crate) fn index(data: &[u8]) {
    for kind in [FileKind::Index, FileKind::Segment, FileKind::Run] {
        exercise(data, kind);
    }
}

/// A sound file of which a part is replaced, with checksums that match. The first byte says of which
/// kind of file, and which part.
pub(crate) fn forged(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let (kind, sound) = match choice >> 6 {
        0 => (FileKind::Index, GOLDEN.to_vec()),
        1 => (FileKind::Index, GOLDEN_TABLES.to_vec()),
        _ => (FileKind::Run, run()),
    };
    exercise(&fuzz::forged(&sound, kind, choice & 63, rest), kind);
}

/// Everything that can be asked of a file.
fn exercise(bytes: &[u8], kind: FileKind) {
    let Ok(reader) = Reader::open_kind(bytes.to_vec(), kind) else { return };
    let _ = verify(&reader, &mut |_| Ok::<(), FormatError>(()));
    let _ = reader.page_starts().all(|page| page.is_ok());
    for key in [&b""[..], b"a/", b"zz/"] {
        let _ = reader.stats(key);
    }
    let _ = reader.get_many(&[b"a/", b"b/"]);
    if let Ok(mut rows) = reader.rows() {
        while let Ok(true) = rows.advance() {
            let _ = rows.stats();
        }
    }
    if let Ok(mut joiner) = Joiner::new(Vec::new()) {
        let _ = joiner.append(&reader, || Ok::<(), FormatError>(()));
        let origin = Origin {
            source_bucket: String::new(),
            snapshot_ms: 0,
            manifest_md5: String::new(),
            data_files: 0,
        };
        let _ = joiner.finish(None, Measures::default(), origin);
    }
}

/// A small run, whose pages are lz4.
fn run() -> Vec<u8> {
    let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Band(2), age: Some(1) }.id();
    let cells = [Cell { bin, objects: 2, bytes: 3000 }];
    let dates = Dates { oldest: 1_700_000_000_000, newest: 1_700_000_001_000 };
    let mut classes = Classes::default();
    let _ = classes.add(b"STANDARD", b"");
    let schema = Schema { measures: Measures::all(), classes };
    let written = Writer::new(Vec::new(), Form::RUN, &schema).and_then(|mut writer| {
        writer.push(b"", &cells, dates)?;
        writer.push(b"a/", &cells, dates)?;
        writer.finish(RowCounts { rows: 2, ..RowCounts::default() })
    });
    written.map(|(run, _)| run).unwrap_or_default()
}
