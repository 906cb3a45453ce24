use md5::{Digest, Md5};

/// The MD5 of `bytes` as 32 hex digits.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    let hash: [u8; 16] = Md5::digest(bytes).into();
    format!("{:032x}", u128::from_be_bytes(hash))
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_nothing() {
        assert_eq!(super::md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
