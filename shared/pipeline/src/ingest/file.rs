//! Reading one data file after the other into a worker's rollup.

use std::io::{self, Read};
use std::path::Path;

use s3inv_inventory::csv::{self, CsvLayout};
use s3inv_inventory::gzip::{self, Inflater, gunzip_stream};
use s3inv_inventory::{Batch, InputError, ReadError, Rows, orc, parquet};
use s3inv_model::RowCounts;
use s3inv_rollup::RunSink;

use super::parts::{FileParts, Parts};
use super::ranges::Ranges;
use super::{Counting, Position, Totals, Worker};
use crate::Cause;
use crate::plan::{ColumnFormat, Input, Layout};

/// What a streamed CSV file is parsed from: the longest row and as much again.
const STREAM_BUFFER: usize = 512 << 10;

/// Which file is being read.
struct Files {
    /// Its place in the chunk.
    at: usize,
    /// What the files before it were counted as.
    counted: RowCounts,
}

impl Files {
    /// Goes to the next file, of which nothing has been counted.
    fn next<S>(&mut self, totals: &mut Totals<S>) {
        self.at += 1;
        self.counted.clone_from(&totals.counts);
        totals.before = 0;
    }
}

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
        let files = files.get(start.file..).unwrap_or_default();
        let mut reading = Files { at: start.file, counted: RowCounts::default() };
        let read = match self.layout {
            Layout::Csv(layout) => self.csv_files(files, layout, totals, &mut reading),
            Layout::Columns(format) => self.column_files(files, *format, totals, &mut reading),
        };
        let Some(rows) = totals.paused else { return read.map(|()| None) };
        // Of the file alone: those before it are done.
        let counts = totals.counts.minus(&reading.counted);
        let counts = counts.ok_or_else(|| Cause::Bug("a file has fewer rows than it had".to_owned()))?;
        Ok(Some(Position { file: reading.at, rows, counts }))
    }

    fn csv_files<S: RunSink>(
        &self,
        files: &[Input],
        layout: &CsvLayout,
        totals: &mut Totals<S>,
        reading: &mut Files,
    ) -> Result<(), Cause> {
        let mut buffers =
            Buffers { compressed: Vec::new(), inflater: Inflater::new(self.memory.decompressed) };
        self.with_parts(files, |parts, file| {
            let mut source = FileParts::new(parts, file, self.progress);
            let read = self.csv_file(&mut source, file, layout, &mut buffers, totals);
            Self::finish_file(source, file, read)?;
            reading.next(totals);
            Ok(())
        })
    }

    fn csv_file<S: RunSink>(
        &self,
        source: &mut FileParts<'_, '_>,
        file: &Input,
        layout: &CsvLayout,
        Buffers { compressed, inflater }: &mut Buffers,
        Totals { classes, counts, rollup, before, paused }: &mut Totals<S>,
    ) -> Result<(), ReadError<Cause>> {
        let mut counting = Counting { rollup, before, paused };
        let mut sink = |batch: &Batch<'_>| self.count(batch, &mut counting);
        let mut rows = Rows::new(self.reading, classes, counts, &mut sink);
        if file.size > self.memory.compressed as u64 {
            let (start, gzip) = start_of(source, &file.key).map_err(InputError::Io)?;
            let source = start.as_slice().chain(source);
            return if gzip {
                csv::read(gunzip_stream(source), STREAM_BUFFER, layout, &mut rows)
            } else {
                csv::read(source, STREAM_BUFFER, layout, &mut rows)
            };
        }
        source.gather(compressed).map_err(ReadError::Sink)?;
        if !is_gzip(&file.key, compressed) {
            return csv::read_slice(compressed, layout, &mut rows);
        }
        if let Some(raw) = inflater.whole(compressed) {
            return csv::read_slice(raw, layout, &mut rows);
        }
        // It doesn't fit, or is damaged: reading it as a stream says what it is.
        csv::read(gunzip_stream(compressed.as_slice()), STREAM_BUFFER, layout, &mut rows)
    }

    /// Compares the MD5 before the rows are believed, or their errors: a file that was damaged on its
    /// way is that, and not an inventory with an odd row.
    fn finish_file(
        mut source: FileParts<'_, '_>,
        file: &Input,
        read: Result<(), ReadError<Cause>>,
    ) -> Result<(), Cause> {
        if let Some(cause) = source.failure() {
            return Err(cause);
        }
        match read {
            Ok(()) => source.verify(),
            Err(ReadError::Sink(cause)) => Err(cause),
            Err(ReadError::Input(error)) => {
                source.verify()?;
                Err(Cause::Input { uri: file.uri(), error })
            }
        }
    }

    /// Reads files by columns, with a reader of their format.
    fn column_files<S: RunSink>(
        &self,
        files: &[Input],
        format: ColumnFormat,
        totals: &mut Totals<S>,
        reading: &mut Files,
    ) -> Result<(), Cause> {
        let open = |file| Ranges::open(file, self.runtime, self.cancellation);
        let mut read = |(file, ranges): (&Input, Ranges)| {
            self.column_file(file, ranges, format, totals)?;
            reading.next(totals);
            Ok(())
        };
        if !self.verify_md5 {
            return files.iter().try_for_each(|file| read((file, open(file)?)));
        }
        // Opened before they are compared: what is read then is what was compared, or an error.
        let opened = files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let unseen = crate::Progress::default();
        self.with_parts(files, |parts, file| FileParts::new(parts, file, &unseen).verify())?;
        files.iter().zip(opened).try_for_each(read)
    }

    fn column_file<S: RunSink>(
        &self,
        file: &Input,
        ranges: Ranges,
        format: ColumnFormat,
        Totals { classes, counts, rollup, before, paused }: &mut Totals<S>,
    ) -> Result<(), Cause> {
        let failure = ranges.failure();
        let mut counting = Counting { rollup, before, paused };
        let mut sink = |batch: &Batch<'_>| self.count(batch, &mut counting);
        let mut rows = Rows::new(self.reading, classes, counts, &mut sink);
        let read = match format {
            ColumnFormat::Orc => orc::read(ranges, self.memory.orc, &mut rows),
            ColumnFormat::Parquet => parquet::read(ranges, self.memory.parquet, &mut rows),
        };
        self.progress.add_bytes(file.size);
        if let Some(cause) = failure.take() {
            return Err(cause);
        }
        read.map_err(|error| match error {
            ReadError::Sink(cause) => cause,
            ReadError::Input(error) => Cause::Input { uri: file.uri(), error },
        })
    }

    /// Fetches files as streams of parts, and hands them to `each` in their order.
    fn with_parts(
        &self,
        files: &[Input],
        mut each: impl FnMut(&mut Parts<'_>, &Input) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let runtime = self.runtime;
        std::thread::scope(|scope| {
            let (mut parts, md5) =
                Parts::start(files.to_vec(), self.memory, runtime, self.cancellation, scope)?;
            let done = files.iter().try_for_each(|file| each(&mut parts, file));
            drop(parts);
            md5.join().map_err(|_| Cause::Bug("the MD5 thread panicked".to_owned()))?;
            done
        })
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
