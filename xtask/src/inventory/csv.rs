/// Appends one row: every field in quotes, LF at the end. An empty field is null.
///
/// No field may hold a quote: keys are form-encoded, all others are plain words.
pub(crate) fn push_row(csv: &mut Vec<u8>, fields: &[&[u8]]) {
    for (at, field) in fields.iter().enumerate() {
        csv.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
        csv.extend_from_slice(field);
        csv.push(b'"');
    }
    csv.push(b'\n');
}

/// Sets `encoded` to the key as CSV inventories write it: form encoding, but for `/`, which stays.
pub(crate) fn form_encode(key: &[u8], encoded: &mut Vec<u8>) {
    encoded.clear();
    for &byte in key {
        match byte {
            b' ' => encoded.push(b'+'),
            b'/' | b'.' | b'-' | b'_' | b'*' => encoded.push(byte),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte),
            _ => encoded.extend([b'%', hex_digit(byte >> 4), hex_digit(byte & 15)]),
        }
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_quoted_throughout() {
        let mut csv = Vec::new();
        push_row(&mut csv, &[b"bucket", b"a/b", b""]);
        push_row(&mut csv, &[b"bucket"]);
        assert_eq!(csv, b"\"bucket\",\"a/b\",\"\"\n\"bucket\"\n");
    }

    #[test]
    fn keys_are_form_encoded() {
        let mut encoded = Vec::new();
        form_encode("a b/x=1+2%\"~é\n".as_bytes(), &mut encoded);
        assert_eq!(encoded, b"a+b/x%3D1%2B2%25%22%7E%C3%A9%0A");
        form_encode(b"plain-Key_0.*", &mut encoded);
        assert_eq!(encoded, b"plain-Key_0.*");
    }
}
