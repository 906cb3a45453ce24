use std::fs;
use std::thread;

/// What figures are of: processors and memory, as the kernel tells them.
pub(super) fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let model = value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = value(&read("/proc/meminfo"), "MemTotal").and_then(|text| kib(&text)).unwrap_or_default();
    format!("{cores} processors ({model}), {:.0} GiB", memory as f64 / f64::from(1 << 20))
}

/// Of the first line that begins with this name and has a colon behind it.
fn value(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned());
    values.next()
}

fn kib(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_read() {
        let text = "processor\t: 0\nmodel name\t: A 9: B\nmodel name\t: other\n";
        assert_eq!(value(text, "model name").as_deref(), Some("A 9: B"));
        assert_eq!(value(text, "MemTotal"), None);
        assert_eq!(kib("2048 kB"), Some(2048));
        assert!(machine().contains(" processors ("), "{}", machine());
    }
}
