use crate::prefix::own_directory;
use crate::{BinId, Dates};

/// A row of an inventory as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'k> {
    /// Its key: raw, 1 to 1,024 bytes.
    pub key: &'k [u8],
    /// The directory it lies in, as [`own_directory`] has it. Where it is that of the object before, it may
    /// be the very slice: then that they are equal is seen at once.
    pub directory: &'k [u8],
    /// What it is counted as.
    pub bin: BinId,
    /// Its size in bytes; 0 for delete markers, and where sizes are not known.
    pub size: u64,
    /// When it was modified; [`Dates::NONE`] where that isn't known or doesn't count.
    pub dates: Dates,
}

impl<'k> Object<'k> {
    /// An object whose directory is looked for.
    #[must_use]
    pub fn new(key: &'k [u8], bin: BinId, size: u64, dates: Dates) -> Self {
        Self { key, directory: own_directory(key), bin, size, dates }
    }
}
