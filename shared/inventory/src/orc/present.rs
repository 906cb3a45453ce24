use super::booleans::Booleans;
use super::error::Result;

/// Which rows of a column have a value.
pub(super) struct Present<'a> {
    /// `None` where all have one.
    flags: Option<Booleans<'a>>,
    mask: Vec<bool>,
}

impl<'a> Present<'a> {
    pub(super) fn new(flags: Option<Booleans<'a>>) -> Self {
        Self { flags, mask: Vec::new() }
    }

    /// Goes on to the next rows. Gives the number of values that they have.
    pub(super) fn fill(&mut self, rows: usize) -> Result<usize> {
        let Some(flags) = &mut self.flags else { return Ok(rows) };
        flags.fill(rows, &mut self.mask).map_err(|error| error.within("present"))?;
        Ok(self.mask.iter().filter(|&&set| set).count())
    }

    /// Puts the values into the rows that have one.
    pub(super) fn spread<T>(&self, values: impl Iterator<Item = T>, to: &mut Vec<Option<T>>) {
        let mut values = values;
        to.clear();
        match self.flags {
            None => to.extend(values.map(Some)),
            Some(_) => to.extend(self.mask.iter().map(|&set| if set { values.next() } else { None })),
        }
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        let ended = self.flags.as_mut().map_or(Ok(()), Booleans::ended);
        ended.map_err(|error| error.within("present"))
    }
}
