//! Sizes and durations as people write them, and how much memory there is.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

/// A number of bytes: `512MiB`, `8GB`, `1024`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let size: bytesize::ByteSize = text.parse().map_err(|_| "not a size such as 512MiB, 8GB or 1024")?;
    Ok(size.as_u64())
}

/// A number of lines or workers.
pub(crate) fn parse_number(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "not a number from 1 on".to_owned())
}

/// A number of levels.
pub(crate) fn parse_levels(text: &str) -> Result<usize, String> {
    parse_number(text).map(NonZeroUsize::get)
}

/// A size of memory that is enough.
pub(crate) fn parse_size(text: &str) -> Result<usize, String> {
    let bytes = usize::try_from(parse_bytes(text)?).map_err(|_| "too large")?;
    if bytes < s3inv_pipeline::MIN_MEMORY {
        return Err("the least is 16MiB".to_owned());
    }
    Ok(bytes)
}

/// A duration: `90s`, `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| "not a duration such as 90s, 30m or 1h")?;
    parsed.try_into().map_err(|_| "a duration can't be negative".to_owned())
}

/// Half of the memory that the process may use, and no less than a build needs.
pub(crate) fn default_budget() -> usize {
    let machine = machine_memory();
    let limit = cgroup_limit().map_or(machine, |limit| limit.min(machine));
    usize::try_from(limit / 2).unwrap_or(usize::MAX).max(s3inv_pipeline::MIN_MEMORY)
}

fn machine_memory() -> u64 {
    // Where it can't be told, a budget that fits most machines.
    field("/proc/meminfo", "MemTotal:").unwrap_or(2 << 30)
}

/// The most memory that the process has had resident, in bytes.
pub(crate) fn peak_memory() -> u64 {
    field("/proc/self/status", "VmHWM:").unwrap_or(0)
}

/// A field of a file of /proc that is given in kB.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The lowest limit of the process's control group and those around it, in either version.
fn cgroup_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().filter_map(limit_of).min()
}

fn limit_of(line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (mount, file) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        list if list.split(',').any(|name| name == "memory") => {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let limit = |group: &Path| {
        let group = group.strip_prefix("/").unwrap_or(group);
        fs::read_to_string(Path::new(mount).join(group).join(file)).ok()?.trim().parse().ok()
    };
    Path::new(path).ancestors().filter_map(limit).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("8GB"), Ok(8_000_000_000));
        assert_eq!(parse_size("4GiB"), Ok(4 << 30));
        assert_eq!(parse_size("16777216"), Ok(16 << 20));
        assert!(parse_size("1024").unwrap_err().contains("16MiB"));
        for wrong in ["", "many", "-1", "1e9"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_as_people_write_them() {
        assert_eq!(parse_duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(parse_duration("-1s").is_err());
        assert!(parse_duration("soon").is_err());
    }

    #[test]
    fn there_is_memory() {
        assert!(default_budget() >= 16 << 20);
        assert!(peak_memory() > 0);
    }
}
