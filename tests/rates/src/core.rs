use s3inv_inventory::gzip::Inflater;
use serde::Serialize;

use crate::Done;
use crate::clock::Fastest;
use crate::set::{File, Set};

/// What one step took, with all that comes before it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    step: &'static str,
    rows: u64,
    seconds: f64,
}

/// What each step took, of each file.
#[derive(Default)]
struct Steps {
    inflated: Fastest,
    read: Fastest,
    rolled_up: Fastest,
    /// Without what comes before it.
    run: Fastest,
    rows: u64,
}

/// All steps take turns, file by file, so that what disturbs one disturbs all.
pub(crate) fn measure(set: &Set, rounds: u32) -> Done<Vec<Line>> {
    let mut inflater = Inflater::new(set.longest())?;
    // Touched before it is measured: fresh pages would be counted otherwise.
    for file in &set.files {
        whole(&mut inflater, file)?;
    }
    let mut steps = Steps::default();
    for _ in 0..rounds.max(1) {
        steps.round(set, &mut inflater)?;
    }
    Ok(steps.lines())
}

impl Steps {
    fn round(&mut self, set: &Set, inflater: &mut Inflater) -> Done<()> {
        let mut total = set.setting.total();
        self.rows = 0;
        for (at, file) in set.files.iter().enumerate() {
            self.inflated.note(at, || whole(inflater, file).map(|_| ()))?;
            self.rows += self.read.note(at, || Done::Ok(set.setting.read(whole(inflater, file)?)?))?;
            self.rolled_up.note(at, || Done::Ok(set.setting.roll_up(whole(inflater, file)?, &mut total)?))?;
        }
        self.run.note(0, || total.finish())?;
        Ok(())
    }

    fn lines(&self) -> Vec<Line> {
        let rolled_up = self.rolled_up.seconds();
        let steps = [
            ("inflate", self.inflated.seconds()),
            ("read", self.read.seconds()),
            ("roll up", rolled_up),
            ("run", rolled_up + self.run.seconds()),
        ];
        steps.map(|(step, seconds)| Line { step, rows: self.rows, seconds }).into()
    }
}

fn whole<'a>(inflater: &'a mut Inflater, file: &File) -> Done<&'a [u8]> {
    inflater.whole(&file.gz).ok_or_else(|| "a data file is no gzip: make the data set again".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_told_with_all_rows() {
        let set = Set::made();
        let lines = measure(&set, 2).unwrap();
        let steps: Vec<_> = lines.iter().map(|line| (line.step, line.rows)).collect();
        let rows = 2 * s3inv_instructions::ROWS as u64;
        assert_eq!(steps, ["inflate", "read", "roll up", "run"].map(|step| (step, rows)));
        assert!(lines.iter().all(|line| line.seconds > 0.0), "{lines:?}");
        assert!(lines[2].seconds < lines[3].seconds, "{lines:?}");
    }

    #[test]
    fn damage_is_an_error() {
        let mut set = Set::made();
        set.files[1].gz.truncate(100);
        assert!(measure(&set, 1).is_err());
    }
}
