//! `%XX`, as URLs, S3's listings and its copy sources have it.

use std::fmt::Write;

/// The bytes that `text` stands for; `None` if it holds a `%` without two hexadecimal digits.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { hex(bytes.next()?)? << 4 | hex(bytes.next()?)? } else { byte });
    }
    Some(decoded)
}

/// Every byte but `/` and those that a URL never has to encode (RFC 3986, section 2.3) as `%XX`.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(encoded("a/b c+d%é~"), "a/b%20c%2Bd%25%C3%A9~");
        let all: String = ('\0'..'\u{300}').collect();
        assert_eq!(decoded(&encoded(&all)).unwrap(), all.as_bytes());
        assert_eq!((decoded("%4"), decoded("%zz")), (None, None));
    }
}
