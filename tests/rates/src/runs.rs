use s3inv_index_format::{FileKind, Reader};
use s3inv_instructions::Setting;

use crate::Done;
use crate::set::Set;

/// A run in memory.
pub(crate) type Run = Reader<Vec<u8>>;

/// So near comes a run to the number of rows that it should have.
const NEAR: f64 = 0.02;

/// The rows of an inventory, of which runs are made.
pub(crate) struct Lines<'a> {
    setting: &'a Setting,
    text: Vec<u8>,
    /// Where each row begins, and where the last one ends.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Decompresses all files.
    pub(crate) fn of(set: &'a Set) -> Done<Self> {
        let mut text = vec![0; set.files.iter().map(|file| file.length).sum()];
        let mut at = 0;
        for file in &set.files {
            let out = text.get_mut(at..at + file.length).unwrap_or_default();
            at += libdeflater::Decompressor::new().gzip_decompress(&file.gz, out)?;
        }
        let ends = text.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Ok(Self { setting: &set.setting, text, starts })
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// So many runs, each of the rows that come behind those of the run before, which has some `prefixes`
    /// in it: as many as there are, where there are fewer.
    pub(crate) fn runs(&self, runs: usize, prefixes: usize) -> Done<Vec<Run>> {
        let rows = self.rows_for(prefixes)?;
        (0..runs).map(|at| self.run(at * rows, rows)).collect()
    }

    /// How many rows make a run of so many prefixes: found by trying the first ones, as shuffled rows are alike.
    fn rows_for(&self, prefixes: usize) -> Done<usize> {
        let mut rows = prefixes.clamp(1, self.count());
        for _ in 0..8 {
            let got = self.run(0, rows)?.info().prefixes as f64;
            let off = prefixes as f64 / got;
            if (off - 1.0).abs() < NEAR || (off > 1.0 && rows == self.count()) {
                break;
            }
            rows = ((rows as f64 * off) as usize).clamp(1, self.count());
        }
        Ok(rows)
    }

    /// A run of rows, of which the first comes behind the last.
    fn run(&self, from: usize, rows: usize) -> Done<Run> {
        let mut total = self.setting.total();
        let from = from % self.count();
        let until = (from + rows).min(self.count());
        for part in [from..until, 0..rows - (until - from)] {
            let text = self.starts.get(part.start).zip(self.starts.get(part.end));
            let text = text.and_then(|(&from, &until)| self.text.get(from..until)).unwrap_or_default();
            self.setting.roll_up(text, &mut total)?;
        }
        let [run] = <[_; 1]>::try_from(total.finish()?).map_err(|_| "rows do not fit one run: take fewer")?;
        Ok(Reader::open_kind(run, FileKind::Run)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_have_the_prefixes_asked_for() {
        let set = Set::made();
        let lines = Lines::of(&set).unwrap();
        let runs = lines.runs(10, 100).unwrap();
        assert_eq!(runs.len(), 10);
        for run in &runs {
            assert!((75..=125).contains(&run.info().prefixes), "{}", run.info().prefixes);
        }
        // They go around: sixteen thousand rows are few for so many.
        let rows: u64 = lines.runs(50, 400).unwrap().iter().map(|run| run.info().counts.rows).sum();
        assert!(rows > lines.count() as u64);
    }

    #[test]
    fn a_run_has_no_more_than_there_are() {
        let set = Set::made();
        let lines = Lines::of(&set).unwrap();
        let run = lines.runs(1, 1 << 20).unwrap().remove(0);
        assert_eq!(run.info().counts.rows, lines.count() as u64);
    }
}
