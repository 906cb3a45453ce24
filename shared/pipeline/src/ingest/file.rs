//! Reading one data file after the other into a worker's rollup.

use std::io::{self, Read};
use std::path::Path;

use s3inv_inventory::csv::{self, CsvLayout};
use s3inv_inventory::gzip::{self, Inflater, gunzip_stream};
use s3inv_inventory::{Batch, InputError, ReadError, Rows, Sink, orc, parquet};
use s3inv_rollup::RunSink;

use super::parts::{FileParts, Parts};
use super::position::{Halt, Place, Position, Within};
use super::ranges::Ranges;
use super::{Totals, Worker};
use crate::Cause;
use crate::plan::{ColumnFormat, Input, Layout};

/// What a streamed CSV file is parsed from: the longest row and as much again.
const STREAM_BUFFER: usize = 512 << 10;

/// Buffers that serve one file after the other.
struct Buffers {
    compressed: Vec<u8>,
    inflater: Inflater,
}

impl Worker<'_> {
    /// Reads the files from `start` on; where to go on, if it pauses.
    pub(super) fn files<S: RunSink>(
        &self,
        files: &[Input],
        start: &Position,
        totals: &mut Totals<S>,
    ) -> Result<Option<Position>, Cause> {
        let left = files.get(start.file..).unwrap_or_default();
        if left.is_empty() && *start != Position::default() {
            return Err(Cause::Bug(format!("going on at file {} of {}", start.file, files.len())));
        }
        match self.layout {
            Layout::Csv(layout) => self.csv_files(left, start, layout, totals),
            Layout::Columns(format) => {
                self.each_file(left, start, totals, |place, totals| self.column_file(place, *format, totals))
            }
        }
    }

    /// Reads the files that are left, one after the other; where to go on, if it pauses.
    fn each_file<S: RunSink>(
        &self,
        files: &[Input],
        start: &Position,
        totals: &mut Totals<S>,
        mut read: impl FnMut(&Place<'_>, &mut Totals<S>) -> Result<Option<Within>, Cause>,
    ) -> Result<Option<Position>, Cause> {
        for (at, file) in (start.file..).zip(files) {
            let is_first = at == start.file;
            if !is_first && (self.pause)(totals.rollup.held()) {
                return Ok(Some(Position { file: at, within: None }));
            }
            let within = start.within.as_ref().filter(|_| is_first);
            if let Some(within) = read(&Place { file, within, is_first }, totals)? {
                return Ok(Some(Position { file: at, within: Some(within) }));
            }
        }
        Ok(None)
    }

    fn csv_files<S: RunSink>(
        &self,
        files: &[Input],
        start: &Position,
        layout: &CsvLayout,
        totals: &mut Totals<S>,
    ) -> Result<Option<Position>, Cause> {
        let mut buffers =
            Buffers { compressed: Vec::new(), inflater: Inflater::new(self.memory.decompressed)? };
        self.with_parts(files, |parts| {
            self.each_file(files, start, totals, |place, totals| {
                let mut source = FileParts::new(parts, place, self.progress);
                let read = self.csv_file(&mut source, place, layout, &mut buffers, totals);
                Self::finish_file(source, place, read)
            })
        })
    }

    /// Reads a file; how many rows it has.
    fn csv_file<S: RunSink>(
        &self,
        source: &mut FileParts<'_, '_>,
        place: &Place<'_>,
        layout: &CsvLayout,
        buffers: &mut Buffers,
        Totals { classes, counts, rollup }: &mut Totals<S>,
    ) -> Result<u64, ReadError<Halt>> {
        let held = rollup.held();
        let mut sink = |batch: &Batch<'_>| self.count(batch, place, rollup);
        let mut rows = Rows::new(self.reading, classes, counts, &mut sink).after(place.known());
        if place.file.size > self.memory.compressed as u64 {
            streamed(source, &place.file.key, layout, &mut rows)?;
        } else {
            let gathered = source.gather(&mut buffers.compressed, || self.go_on(place, 0, held));
            gathered.map_err(ReadError::Sink)?;
            buffers.read(&place.file.key, layout, &mut rows)?;
        }
        Ok(rows.row())
    }

    /// Compares the MD5 before the rows are believed, or their errors: a file that was damaged on its
    /// way is that, and not an inventory with an odd row. Of one that is left, the MD5 is compared when it
    /// is read to its end.
    fn finish_file(
        mut source: FileParts<'_, '_>,
        place: &Place<'_>,
        read: Result<u64, ReadError<Halt>>,
    ) -> Result<Option<Within>, Cause> {
        if let Some(cause) = source.failure() {
            return Err(cause);
        }
        match read {
            Ok(rows) => {
                source.verify()?;
                place.check_rows(rows).map(|()| None)
            }
            Err(ReadError::Sink(halt)) => halt.left(source.etag()),
            Err(ReadError::Input(error)) => {
                source.verify()?;
                Err(Cause::Input { uri: place.file.uri(), error })
            }
        }
    }

    fn column_file<S: RunSink>(
        &self,
        place: &Place<'_>,
        format: ColumnFormat,
        totals: &mut Totals<S>,
    ) -> Result<Option<Within>, Cause> {
        let ranges = Ranges::open(place.file, self.runtime, self.cancellation)?;
        place.check(ranges.etag())?;
        // Opened before it is compared: what is read then is what was compared, or an error. A file of
        // which rows were read was compared before that, and is the same still.
        if self.verify_md5 && place.known() == 0 {
            let held = totals.rollup.held();
            if let Err(halt) = self.compare(place, held) {
                return halt.left(ranges.etag());
            }
        }
        let (failure, etag) = (ranges.failure(), ranges.etag().to_owned());
        let read = self.columns(place, ranges, format, totals);
        self.progress.add_bytes(place.file.size);
        if let Some(cause) = failure.take() {
            return Err(cause);
        }
        match read {
            Ok(rows) => place.check_rows(rows).map(|()| None),
            Err(ReadError::Sink(halt)) => halt.left(&etag),
            Err(ReadError::Input(error)) => Err(Cause::Input { uri: place.file.uri(), error }),
        }
    }

    /// Reads a file by columns, with a reader of its format; how many rows it has.
    fn columns<S: RunSink>(
        &self,
        place: &Place<'_>,
        ranges: Ranges,
        format: ColumnFormat,
        Totals { classes, counts, rollup }: &mut Totals<S>,
    ) -> Result<u64, ReadError<Halt>> {
        let mut sink = |batch: &Batch<'_>| self.count(batch, place, rollup);
        let mut rows = Rows::new(self.reading, classes, counts, &mut sink).after(place.known());
        match format {
            ColumnFormat::Orc => orc::read(ranges, self.memory.orc, &mut rows)?,
            ColumnFormat::Parquet => parquet::read(ranges, self.memory.parquet, &mut rows)?,
        }
        Ok(rows.row())
    }

    /// Compares the MD5 of a whole file.
    fn compare(&self, place: &Place<'_>, held: usize) -> Result<(), Halt> {
        let unseen = crate::Progress::default();
        self.with_parts(std::slice::from_ref(place.file), |parts| {
            let mut source = FileParts::new(parts, place, &unseen);
            source.each(|_| self.go_on(place, 0, held))?;
            Ok(source.verify()?)
        })
    }

    /// Fetches files as a stream of parts.
    fn with_parts<T, E: From<Cause>>(
        &self,
        files: &[Input],
        read: impl FnOnce(&mut Parts<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let runtime = self.runtime;
        std::thread::scope(|scope| {
            let started = Parts::start(files.to_vec(), self.memory, runtime, self.cancellation, scope);
            let (mut parts, md5) = started.map_err(Cause::from)?;
            let done = read(&mut parts);
            drop(parts);
            md5.join().map_err(|_| Cause::Bug("the MD5 thread panicked".to_owned()))?;
            done
        })
    }
}

impl Buffers {
    /// Reads a file that has been gathered.
    fn read<S: Sink>(
        &mut self,
        key: &str,
        layout: &CsvLayout,
        rows: &mut Rows<'_, S>,
    ) -> Result<(), ReadError<S::Error>> {
        if !is_gzip(key, &self.compressed) {
            return csv::read_slice(&self.compressed, layout, rows);
        }
        if let Some(raw) = self.inflater.whole(&self.compressed) {
            return csv::read_slice(raw, layout, rows);
        }
        // It doesn't fit, or is damaged: reading it as a stream says what it is.
        csv::read(gunzip_stream(self.compressed.as_slice()), STREAM_BUFFER, layout, rows)
    }
}

/// Reads a file while it is fetched.
fn streamed<S: Sink>(
    source: &mut FileParts<'_, '_>,
    key: &str,
    layout: &CsvLayout,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let (start, gzip) = start_of(source, key).map_err(InputError::Io)?;
    let source = start.as_slice().chain(source);
    if gzip {
        csv::read(gunzip_stream(source), STREAM_BUFFER, layout, rows)
    } else {
        csv::read(source, STREAM_BUFFER, layout, rows)
    }
}

/// The first bytes of a CSV file, and whether it is compressed.
fn start_of(source: &mut FileParts<'_, '_>, key: &str) -> io::Result<(Vec<u8>, bool)> {
    let mut start = Vec::new();
    source.take(2).read_to_end(&mut start)?;
    let gzip = is_gzip(key, &start);
    Ok((start, gzip))
}

/// A file is what its name says: then one that is damaged at its start is not taken for another. Where
/// the name says nothing, the bytes tell.
fn is_gzip(key: &str, start: &[u8]) -> bool {
    match Path::new(key).extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("gz") => true,
        Some(extension) if extension.eq_ignore_ascii_case("csv") => false,
        _ => gzip::is_gzip(start),
    }
}
