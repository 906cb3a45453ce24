use std::fmt;

/// Which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Real paths: the files of Debian's packages.
    Paths,
    /// Logs, partitioned by application and hour.
    Logs,
    /// A prefix for every object.
    Single,
}

/// In which order the rows come: S3 promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By key, over all files.
    Sorted,
    /// At random, over all files.
    Shuffled,
}

impl Order {
    pub(crate) const ALL: [Self; 2] = [Self::Sorted, Self::Shuffled];
}

/// What its data files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Gzipped CSV.
    Csv,
    /// The same rows as Parquet.
    Parquet,
    /// The same rows as ORC.
    Orc,
}

impl Format {
    /// As file names end.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Orc => "orc",
        }
    }
}

/// A made inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataSet {
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    pub(crate) rows: usize,
    pub(crate) format: Format,
}

impl DataSet {
    /// The bucket that it is said to be of.
    pub(crate) fn bucket(&self) -> &'static str {
        match self.kind {
            Kind::Paths => "debian-files",
            Kind::Logs => "application-logs",
            Kind::Single => "single-objects",
        }
    }

    /// Data files: near a million rows each, an even number so that two workers get as much each.
    pub(crate) fn files(&self) -> usize {
        self.rows.div_ceil(1_000_000).next_multiple_of(2).max(4)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Paths => "paths",
            Self::Logs => "logs",
            Self::Single => "single",
        })
    }
}

/// The name of its folder.
impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let order = match self.order {
            Order::Sorted => "sorted",
            Order::Shuffled => "shuffled",
        };
        write!(f, "{}-{}-{order}", self.kind, self.rows)?;
        if self.format == Format::Csv { Ok(()) } else { write!(f, "-{}", self.format.name()) }
    }
}
