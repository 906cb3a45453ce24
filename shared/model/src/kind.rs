/// What the one who sees an error should do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Correct the input: trying again will not help.
    BadInput,
    /// Look at storage, permissions or space, then try again.
    Storage,
    /// Nothing: it was asked to stop.
    Cancelled,
    /// Allow more time.
    DeadlineExceeded,
    /// Report it: this is a defect of the program.
    Bug,
}
