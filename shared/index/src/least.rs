use crate::Entry;

/// What a row has at least that is wanted, of current objects. Pages are not read of which the directory says that no
/// row has as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Least {
    /// How many there are.
    pub objects: u64,
    /// The sum of their bytes.
    pub bytes: u64,
}

impl Least {
    /// Whether this may have a row that has as much.
    pub(crate) fn may_be_in(self, entry: &Entry) -> bool {
        entry.max_objects >= self.objects && entry.max_bytes >= self.bytes
    }
}
