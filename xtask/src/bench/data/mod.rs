//! Made inventories of real size: the same bytes on every machine, but for real paths, which are what Debian
//! has that day.

mod apt;
mod convert;
mod generate;
mod keys;
mod logs;
mod object;
mod paths;
mod random;
mod set;
mod single;

use std::path::Path;

use crate::failure::Failure;
use crate::inventory::Delivery;
use crate::workspace::Workspace;
pub(crate) use set::{DataSet, Format, Kind, Order};

/// A data set below the folder of all; made first, if it isn't there yet.
pub(super) fn ready(workspace: &Workspace, data: &Path, set: DataSet) -> Result<Delivery, Failure> {
    generate::make_missing(data, set.kind, set.rows)?;
    convert::make_missing(workspace, data, set)?;
    Ok(generate::delivery(data, set))
}
