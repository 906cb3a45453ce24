/// A column of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The bucket that is listed.
    Bucket,
    /// The object's key.
    Key,
    /// The version's id.
    VersionId,
    /// Whether it is the current version.
    IsLatest,
    /// Whether it is a delete marker.
    IsDeleteMarker,
    /// Its length.
    Size,
    /// When it was made.
    LastModifiedDate,
    /// Its `ETag`.
    ETag,
    /// Its storage class.
    StorageClass,
    /// Its tier within Intelligent-Tiering.
    Tier,
    /// Something that came after the program.
    New,
}

/// The columns of an inventory of current versions.
pub const CURRENT: &[Column] = &[
    Column::Bucket,
    Column::Key,
    Column::Size,
    Column::LastModifiedDate,
    Column::ETag,
    Column::StorageClass,
    Column::Tier,
];

/// The columns of an inventory of all versions.
pub const VERSIONS: &[Column] = &[
    Column::Bucket,
    Column::Key,
    Column::VersionId,
    Column::IsLatest,
    Column::IsDeleteMarker,
    Column::Size,
    Column::LastModifiedDate,
    Column::ETag,
    Column::StorageClass,
    Column::Tier,
];

impl Column {
    /// As schemas of CSV name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::Key => "Key",
            Self::VersionId => "VersionId",
            Self::IsLatest => "IsLatest",
            Self::IsDeleteMarker => "IsDeleteMarker",
            Self::Size => "Size",
            Self::LastModifiedDate => "LastModifiedDate",
            Self::ETag => "ETag",
            Self::StorageClass => "StorageClass",
            Self::Tier => "IntelligentTieringAccessTier",
            Self::New => "QuantumState",
        }
    }

    /// As ORC and Parquet name it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Key => "key",
            Self::VersionId => "version_id",
            Self::IsLatest => "is_latest",
            Self::IsDeleteMarker => "is_delete_marker",
            Self::Size => "size",
            Self::LastModifiedDate => "last_modified_date",
            Self::ETag => "e_tag",
            Self::StorageClass => "storage_class",
            Self::Tier => "intelligent_tiering_access_tier",
            Self::New => "quantum_state",
        }
    }
}

/// The columns without one of them.
pub fn without(columns: &[Column], column: Column) -> Vec<Column> {
    columns.iter().copied().filter(|other| *other != column).collect()
}
