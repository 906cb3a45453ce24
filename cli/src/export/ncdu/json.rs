//! The format that all versions of ncdu open: <https://dev.yorhel.nl/ncdu/jsonfmt>, format 1.2.

use s3inv::Info;

use super::{Left, Tree};
use crate::export::{Exporting, Sink, signed};

pub(super) struct Json<'o> {
    out: Sink<'o>,
    line: Vec<u8>,
}

impl<'o> Json<'o> {
    pub(super) fn start(info: &Info, out: Sink<'o>) -> Result<Self, Exporting> {
        let snapshot = info.origin.as_ref().map_or(0, |origin| origin.snapshot_ms / 1000);
        let version = env!("CARGO_PKG_VERSION");
        write!(
            out,
            "[1,2,{{\"progname\":\"s3inv-index\",\"progver\":\"{version}\",\"timestamp\":{snapshot}}}"
        )?;
        Ok(Self { out, line: Vec::new() })
    }
}

impl Tree for Json<'_> {
    fn enter(&mut self, name: &[u8]) -> Result<(), Exporting> {
        self.line.clear();
        self.line.extend_from_slice(b",\n[{\"name\":");
        put_name(name, &mut self.line);
        self.line.push(b'}');
        Ok(self.out.write_all(&self.line)?)
    }

    fn leave(&mut self, left: &Left<'_>) -> Result<(), Exporting> {
        if let Some(file) = &left.file {
            let (name, bytes) = (&file.name, signed(file.bytes, left.prefix)?);
            write!(self.out, ",\n{{\"name\":\"{name}\",\"asize\":{bytes},\"dsize\":{bytes}}}")?;
        }
        Ok(self.out.write_all(b"]")?)
    }

    fn finish(self) -> Result<(), Exporting> {
        Ok(self.out.write_all(b"]\n")?)
    }
}

/// A name as a string of JSON. Its bytes go as they are, UTF-8 or not, as in what ncdu writes itself.
fn put_name(name: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in name {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strings_of_json() {
        for (name, string) in [
            (&b"a b"[..], &b"\"a b\""[..]),
            (b"\"\\", b"\"\\\"\\\\\""),
            (b"\n\x7f", b"\"\\u000a\\u007f\""),
            (b"\xff\xc3\xa9", b"\"\xff\xc3\xa9\""),
        ] {
            let mut out = Vec::new();
            put_name(name, &mut out);
            assert_eq!(out, string);
        }
    }
}
