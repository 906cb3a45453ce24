/// The most memory that a process has had resident, bytes; nothing once it has ended.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_living_process_has_memory() {
        assert!(super::peak(std::process::id()).unwrap() > 1 << 20);
        assert_eq!(super::peak(u32::MAX), None);
    }
}
