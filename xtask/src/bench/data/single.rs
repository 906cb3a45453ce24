use super::keys::Keys;
use super::random::Random;

/// A prefix for every object: the most prefixes that a number of rows can have at this depth.
pub(super) fn keys(rows: usize) -> Keys {
    let mut random = Random::new(3);
    let mut keys = Keys::default();
    for _ in 0..rows {
        let uuid = random.uuid();
        let shard = uuid.get(..2).unwrap_or_default();
        keys.push(format!("data/{shard}/{uuid}/object.bin").as_bytes());
    }
    keys
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_object_has_its_prefix() {
        let keys = super::keys(100);
        assert_eq!(keys.sorted().len(), 100);
        let key = String::from_utf8(keys.get(0).to_vec()).unwrap();
        assert_eq!(key.split('/').count(), 4);
        assert!(key.ends_with("/object.bin"));
    }
}
