//! Debian's lists of the files in its packages, fetched by apt itself into a folder of ours: the
//! system's own lists stay as they are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Advise, CHECK_DISK, Failure};

const HELPER: &str = "/usr/lib/apt/apt-helper";
const NEEDS_DEBIAN: &str = "it needs a Debian system with apt that reaches its mirror; \
    or leave the data set out: --sets logs,single";

/// What apt is told to fetch besides its usual lists.
const CONTENTS: &str = r#"
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb {
  MetaKey "$(COMPONENT)/Contents-$(ARCHITECTURE)";
  ShortDescription "Contents-$(ARCHITECTURE)";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Contents (deb)";
  KeepCompressed "true";
  DefaultEnabled "true";
};
"#;

/// Calls `path` with every path in the `Contents` lists, fetching them into `folder` first where
/// they aren't there yet.
pub(super) fn each_path(folder: &Path, mut path: impl FnMut(&[u8])) -> Result<(), Failure> {
    let fetched = folder.join("fetched");
    if !fetched.exists() {
        update(folder)?;
        fs::write(&fetched, "").advise(fetched.display(), CHECK_DISK)?;
    }
    let lists = contents(folder)?;
    if lists.is_empty() {
        return Err(Failure::new("apt fetched no Contents list", NEEDS_DEBIAN));
    }
    lists.iter().try_for_each(|list| read(list, &mut path))
}

fn contents(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let lists = folder.join("lists");
    let entries = fs::read_dir(&lists).advise(lists.display(), CHECK_DISK)?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().contains("_Contents-")).collect();
    found.sort();
    Ok(found)
}

fn update(folder: &Path) -> Result<(), Failure> {
    let partial = folder.join("lists/partial");
    fs::create_dir_all(&partial).advise(partial.display(), CHECK_DISK)?;
    let folder = folder.canonicalize().advise(folder.display(), CHECK_DISK)?;
    let config = folder.join("apt.conf");
    let state = folder.display();
    let text =
        format!("Dir::State \"{state}\";\nDir::State::lists \"{state}/lists\";\nDir::Cache \"{state}\";\n");
    fs::write(&config, text + CONTENTS).advise(config.display(), CHECK_DISK)?;
    eprintln!("fetching Debian's Contents lists (50 MB) …");
    let status =
        Command::new("apt-get").args(["update", "-qq", "--error-on=any"]).env("APT_CONFIG", &config).status();
    let status = status.advise("apt-get", NEEDS_DEBIAN)?;
    if status.success() { Ok(()) } else { Err(Failure::new("apt-get update failed", NEEDS_DEBIAN)) }
}

fn read(list: &Path, path: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
    let mut helper = Command::new(HELPER).arg("cat-file").arg(list).stdout(Stdio::piped()).spawn();
    let helper =
        helper.as_mut().map_err(|cause| Failure::new(format_args!("{HELPER}: {cause}"), NEEDS_DEBIAN))?;
    if let Some(stdout) = helper.stdout.take() {
        each_line(BufReader::with_capacity(1 << 20, stdout), path).advise(list.display(), NEEDS_DEBIAN)?;
    }
    let status = helper.wait().advise(HELPER, NEEDS_DEBIAN)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(list.display(), "remove it, it is fetched again"))
    }
}

fn each_line(mut lines: impl BufRead, path: &mut impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        path(path_of(&line));
        line.clear();
    }
    Ok(())
}

/// A line is a path, blanks, and the packages that have it. Paths may hold blanks, packages not.
fn path_of(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    let end = line.iter().rposition(u8::is_ascii_whitespace).unwrap_or(line.len());
    line.get(..end).unwrap_or_default().trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_before_its_packages() {
        let text = "bin/ash      shells/ash\nusr/a b.go c.go golang/x,devel/y\n\n";
        let mut paths = Vec::new();
        each_line(text.as_bytes(), &mut |path: &[u8]| paths.push(String::from_utf8(path.to_vec()).unwrap()))
            .unwrap();
        assert_eq!(paths, ["bin/ash", "usr/a b.go c.go", ""]);
    }
}
