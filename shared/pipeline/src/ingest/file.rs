//! Reading one data file after the other into a worker's rollup.

use std::io::{self, Read};
use std::path::Path;

use s3inv_inventory::csv::{self, CsvLayout};
use s3inv_inventory::gzip::{self, Inflater, gunzip_stream};
use s3inv_inventory::{Batch, InputError, ReadError, Rows, orc, parquet};

use super::parts::{FileParts, Parts};
use super::ranges::Ranges;
use super::{Totals, Worker};
use crate::Cause;
use crate::plan::{ColumnFormat, Input};

/// What a streamed CSV file is parsed from: the longest row and as much again.
const STREAM_BUFFER: usize = 512 << 10;

/// Buffers that serve one file after the other.
struct Buffers {
    compressed: Vec<u8>,
    inflater: Inflater,
}

impl Worker<'_> {
    pub(super) fn csv_files(
        &self,
        files: &[Input],
        layout: &CsvLayout,
        totals: &mut Totals,
    ) -> Result<(), Cause> {
        let mut buffers =
            Buffers { compressed: Vec::new(), inflater: Inflater::new(self.memory.decompressed) };
        self.with_parts(files, |parts, file| {
            let mut source = FileParts::new(parts, file, &self.context.progress);
            let read = self.csv_file(&mut source, file, layout, &mut buffers, totals);
            self.finish_file(source, file, read)
        })
    }

    fn csv_file(
        &self,
        source: &mut FileParts<'_, '_>,
        file: &Input,
        layout: &CsvLayout,
        Buffers { compressed, inflater }: &mut Buffers,
        Totals { classes, counts, rollup }: &mut Totals,
    ) -> Result<(), ReadError<Cause>> {
        let mut sink = |batch: &Batch<'_>| self.count(batch, rollup);
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
        &self,
        mut source: FileParts<'_, '_>,
        file: &Input,
        read: Result<(), ReadError<Cause>>,
    ) -> Result<(), Cause> {
        if let Some(cause) = source.failure() {
            return Err(cause);
        }
        match read {
            Ok(()) => source.verify(),
            Err(ReadError::Sink(cause)) => Err(self.counting_failed(cause)),
            Err(ReadError::Input(error)) => {
                source.verify()?;
                Err(Cause::Input { uri: file.uri(), error })
            }
        }
    }

    fn counting_failed(&self, cause: Cause) -> Cause {
        cause.in_scratch(self.context.scratch.path())
    }

    /// Reads files by columns, with a reader of their format.
    pub(super) fn column_files(
        &self,
        files: &[Input],
        format: ColumnFormat,
        totals: &mut Totals,
    ) -> Result<(), Cause> {
        let open = |file| Ranges::open(file, &self.context.runtime, self.cancellation);
        if !self.context.verify_md5 {
            return files.iter().try_for_each(|file| self.column_file(file, open(file)?, format, totals));
        }
        // Opened before they are compared: what is read then is what was compared, or an error.
        let opened = files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let unseen = crate::Progress::default();
        self.with_parts(files, |parts, file| FileParts::new(parts, file, &unseen).verify())?;
        let mut both = files.iter().zip(opened);
        both.try_for_each(|(file, ranges)| self.column_file(file, ranges, format, totals))
    }

    fn column_file(
        &self,
        file: &Input,
        ranges: Ranges,
        format: ColumnFormat,
        totals: &mut Totals,
    ) -> Result<(), Cause> {
        let Totals { classes, counts, rollup } = totals;
        let failure = ranges.failure();
        let mut sink = |batch: &Batch<'_>| self.count(batch, rollup);
        let mut rows = Rows::new(self.reading, classes, counts, &mut sink);
        let read = match format {
            ColumnFormat::Orc => orc::read(ranges, self.memory.orc, &mut rows),
            ColumnFormat::Parquet => parquet::read(ranges, self.memory.parquet, &mut rows),
        };
        self.context.progress.add_bytes(file.size);
        if let Some(cause) = failure.take() {
            return Err(cause);
        }
        read.map_err(|error| match error {
            ReadError::Sink(cause) => self.counting_failed(cause),
            ReadError::Input(error) => Cause::Input { uri: file.uri(), error },
        })
    }

    /// Fetches files as streams of parts, and hands them to `each` in their order.
    fn with_parts(
        &self,
        files: &[Input],
        mut each: impl FnMut(&mut Parts<'_>, &Input) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let runtime = &self.context.runtime;
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
