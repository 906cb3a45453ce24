use s3inv_model::prefix::{MAX_KEY, own_directory};

use crate::error::RowError;

/// What an inventory says of an object, in a row of no particular format.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its key, raw.
    pub key: &'a [u8],
    /// Its size in bytes, if it is told.
    pub size: Option<u64>,
    /// Its storage class; empty if it isn't told.
    pub class: &'a [u8],
    /// Its access tier; empty if it has none.
    pub tier: &'a [u8],
    /// When it was modified, in milliseconds since 1970, if it is told.
    pub modified: Option<u64>,
    /// Whether it is the current version of its key.
    pub latest: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
}

/// A row of which nothing has been looked at yet: it is asked only for what matters.
pub(crate) trait Row {
    fn latest(&self) -> Result<bool, RowError>;
    fn marker(&self) -> Result<bool, RowError>;
    /// Where the key lies. What isn't a slice of the input is added to `side`.
    fn key(&self, side: &mut Vec<u8>) -> Result<KeyPlace, RowError>;
    /// `None` where it is empty or null, as in the fields below.
    fn size(&self) -> Result<Option<u64>, RowError>;
    fn class(&self) -> &[u8];
    fn tier(&self) -> &[u8];
    fn modified(&self) -> Result<Option<u64>, RowError>;
}

/// Where a key of any length lies, and its directory.
#[derive(Clone, Copy)]
pub(crate) struct KeyPlace {
    pub(crate) origin: Origin,
    /// How much of it is its directory.
    pub(crate) directory: usize,
    /// Whether that is the directory of the row that was added before.
    pub(crate) beside: bool,
}

/// What a key is a slice of.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// The input: offset and length.
    Raw(usize, usize),
    /// The end of the side buffer.
    Side,
}

impl KeyPlace {
    /// A key whose directory is looked for.
    #[inline]
    pub(crate) fn of(key: &[u8], origin: Origin) -> Self {
        Self { origin, directory: own_directory(key).len(), beside: false }
    }
}

impl Row for Facts<'_> {
    fn latest(&self) -> Result<bool, RowError> {
        Ok(self.latest)
    }

    fn marker(&self) -> Result<bool, RowError> {
        Ok(self.marker)
    }

    fn key(&self, side: &mut Vec<u8>) -> Result<KeyPlace, RowError> {
        if self.key.len() > MAX_KEY {
            return Err(RowError::KeyLength(self.key.len()));
        }
        side.extend_from_slice(self.key);
        Ok(KeyPlace::of(self.key, Origin::Side))
    }

    fn size(&self) -> Result<Option<u64>, RowError> {
        Ok(self.size)
    }

    fn class(&self) -> &[u8] {
        self.class
    }

    fn tier(&self) -> &[u8] {
        self.tier
    }

    fn modified(&self) -> Result<Option<u64>, RowError> {
        Ok(self.modified)
    }
}
