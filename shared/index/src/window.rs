/// How many stored bytes are fetched at once, to begin with: a request of as much takes hardly longer than one of
/// a page.
const FIRST_AHEAD: u64 = 256 << 10;
/// How many in the end, for who goes on and on.
pub(crate) const MOST_AHEAD: u64 = 4 << 20;

/// How much of a remote file is fetched at once of what is going to be read: little at first, more and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(u64);

impl Default for Window {
    fn default() -> Self {
        Self(FIRST_AHEAD)
    }
}

impl Window {
    /// How many stored bytes to fetch now, about; next time it is twice as many.
    pub fn widen(&mut self) -> u64 {
        let now = self.0;
        self.0 = (2 * now).min(MOST_AHEAD);
        now
    }
}
