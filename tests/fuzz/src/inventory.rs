//! What S3 delivers.

use std::convert::Infallible;
use std::io::Read;

use bytes::Bytes;
use s3inv_inventory::csv::{self, CsvLayout};
use s3inv_inventory::gzip::{Inflater, gunzip_stream};
use s3inv_inventory::{
    Batch, Fields, InputError, Manifest, OnBadRow, Reading, Rows, manifest as checks, orc as orcs,
};
use s3inv_inventory::{ReadError, parquet as parquets};
use s3inv_model::{Binning, Object, RowCounts};

const SNAPSHOT: u64 = 1_700_000_000_000;
const SCHEMAS: [&str; 4] = [
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IntelligentTieringAccessTier",
    "Key, Size, StorageClass",
    "Size, Key",
    "Key",
];

/// `manifest.json`, its schema, and the same bytes as its checksum.
pub(crate) fn manifest(data: &[u8]) {
    let _ = checks::verify_checksum(data, data);
    if let Ok(manifest) = Manifest::parse(data) {
        let _ = manifest.file_schema.as_deref().map(CsvLayout::parse);
    }
}

/// What a reader made of some bytes: the same, whichever way it read them.
#[derive(PartialEq, Eq, Debug)]
struct Told {
    objects: u64,
    keys: u64,
    bytes: u64,
    counts: RowCounts,
    error: Option<String>,
}

type Done = Result<(), ReadError<Infallible>>;

fn told(fields: Fields, skip: bool, read: impl FnOnce(&mut Rows<'_, Sums>) -> Done) -> Told {
    let on_bad_row = if skip { OnBadRow::Skip } else { OnBadRow::Fail };
    let reading = Reading { binning: Binning::new(&fields.measures(), SNAPSHOT), fields, on_bad_row };
    let (mut classes, mut counts, mut sums) = (reading.classes(), RowCounts::default(), Sums::default());
    let done = read(&mut Rows::new(&reading, &mut classes, &mut counts, &mut sums));
    let error = done.err().map(|error| error.to_string());
    let Sums { objects, keys, bytes } = sums;
    Told { objects, keys, bytes, counts, error }
}

#[derive(Default)]
struct Sums {
    objects: u64,
    keys: u64,
    bytes: u64,
}

impl s3inv_inventory::Sink for Sums {
    type Error = Infallible;

    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), Infallible> {
        for Object { key, size, .. } in batch.iter() {
            assert!((1..=1024).contains(&key.len()), "a key of {} bytes", key.len());
            self.objects += 1;
            self.keys += key.iter().map(|&byte| u64::from(byte)).sum::<u64>();
            self.bytes = self.bytes.wrapping_add(size);
        }
        Ok(())
    }
}

/// Rows of CSV. The first byte says which columns they have, and whether bad rows are skipped.
pub(crate) fn csv(data: &[u8]) {
    let Some((&choice, rows)) = data.split_first() else { return };
    let schema = SCHEMAS.iter().cycle().nth(usize::from(choice & 127)).copied().unwrap_or_default();
    let Ok(layout) = CsvLayout::parse(schema) else { return };
    let skip = choice & 128 != 0;
    let whole = told(layout.fields(), skip, |to| csv::read_slice(rows, &layout, to));
    // In pieces that no window expects.
    let stream = told(layout.fields(), skip, |to| csv::read(Dribble(rows), 1, &layout, to));
    assert_eq!(whole, stream);
}

/// Gives seven bytes at a time.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = out.len().min(7);
        self.0.read(out.get_mut(..len).unwrap_or_default())
    }
}

/// Gzip, at once and as a stream.
pub(crate) fn gzip(data: &[u8]) {
    const MOST: usize = 1 << 20;
    let mut inflater = Inflater::new(MOST).ok();
    let whole = inflater.as_mut().and_then(|inflater| inflater.whole(data)).map(<[u8]>::to_vec);
    let mut stream = Vec::new();
    let streamed = gunzip_stream(data).take(MOST as u64 + 1).read_to_end(&mut stream);
    if let Some(whole) = whole {
        assert!(streamed.is_ok() && whole == stream, "both ways give the same");
    }
}

/// A Parquet file, in windows of two sizes.
pub(crate) fn parquet(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    columns(&file, parquets::fields, |file, window, to| {
        parquets::read(file, parquets::Limits { window, page: 32 << 20, dictionary: 32 << 20 }, to)
    });
}

/// An ORC file, in windows of two sizes.
pub(crate) fn orc(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    columns(&file, orcs::fields, |file, window, to| {
        orcs::read(file, orcs::Limits { window, block: 8 << 20, key_dictionary: 1 << 20 }, to)
    });
}

fn columns(
    file: &Bytes,
    fields: impl Fn(&Bytes) -> Result<Fields, InputError>,
    read: impl Fn(Bytes, usize, &mut Rows<'_, Sums>) -> Done,
) {
    let Ok(fields) = fields(file) else { return };
    let [small, large] =
        [64 << 10, 1 << 20].map(|window| told(fields, true, |to| read(file.clone(), window, to)));
    assert_eq!(small, large);
}
