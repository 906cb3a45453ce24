use std::fs;
use std::path::Path;
use std::process::Command;

use super::generate;
use super::set::{DataSet, Format};
use crate::bench::peers;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::{Workspace, check};

const SCRIPT: &str = include_str!("convert.py");

/// Makes an inventory that isn't there yet from the same one in CSV.
pub(super) fn make_missing(workspace: &Workspace, data: &Path, set: DataSet) -> Result<(), Failure> {
    if generate::delivery(data, set).is_complete() {
        return Ok(());
    }
    let python = peers::python(workspace)?;
    let folder = data.join(set.to_string());
    fs::create_dir_all(&folder).advise(folder.display(), CHECK_DISK)?;
    let source = data.join(DataSet { format: Format::Csv, ..set }.to_string());
    eprintln!("{set} …");
    let mut command = Command::new(python);
    check(
        command.args(["-c", SCRIPT]).arg(source).arg(folder).arg(set.format.name()),
        "see what Python says above",
    )
}
