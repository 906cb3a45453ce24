/// Many keys in one allocation: millions of small vectors would take twice the memory.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    pub(super) fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key pushed as number `at`; the empty key beyond the last.
    pub(super) fn get(&self, at: u32) -> &[u8] {
        let at = at as usize;
        let start = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or_default() };
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The numbers of all keys, in bytewise order of the keys; equal keys count once.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by_key(|&at| self.get(at));
        order.dedup_by_key(|at| self.get(*at));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_bytewise_and_once() {
        let mut keys = Keys::default();
        for key in ["b/", "a", "", "b", "a", "a-b/"] {
            keys.push(key.as_bytes());
        }
        let sorted: Vec<&[u8]> = keys.sorted().iter().map(|&at| keys.get(at)).collect();
        assert_eq!(sorted, [&b""[..], b"a", b"a-b/", b"b", b"b/"]);
        assert_eq!(keys.get(6), b"");
    }
}
