use crate::{BinId, Dates};

/// A row of an inventory as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'k> {
    /// Its key: raw, 1 to 1,024 bytes.
    pub key: &'k [u8],
    /// What it is counted as.
    pub bin: BinId,
    /// Its size in bytes; 0 for delete markers, and where sizes are not known.
    pub size: u64,
    /// When it was modified; [`Dates::NONE`] where that isn't known or doesn't count.
    pub dates: Dates,
}
