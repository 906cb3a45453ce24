//! The wire format of Protocol Buffers: only what a reader of a few known fields needs.

use super::error::{Result, damaged};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A varint: whole numbers, flags, names of enumerations.
    Number(u64),
    /// A text, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes, of which no field is needed.
    Fixed,
}

impl<'a> Value<'a> {
    pub(super) fn number(self) -> Result<u64> {
        if let Self::Number(number) = self { Ok(number) } else { Err(damaged("a field that isn't a number")) }
    }

    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(damaged("a field that isn't a text")) }
    }

    /// Hands on a number, or each of packed ones.
    pub(super) fn each_number(self, mut take: impl FnMut(u64)) -> Result<()> {
        let mut rest = match self {
            Self::Bytes(packed) => packed,
            other => return other.number().map(take),
        };
        while !rest.is_empty() {
            take(varint(&mut rest)?);
        }
        Ok(())
    }
}

/// A message: its fields, in its order.
pub(super) struct Message<'a>(pub(super) &'a [u8]);

impl<'a> Message<'a> {
    /// The next field's number and value.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = varint(&mut self.0)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = varint(&mut self.0)?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            other => return Err(damaged(format!("a field of wire type {other}"))),
        };
        Ok(Some((tag >> 3, value)))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(len).ok().and_then(|len| self.0.split_at_checked(len));
        let (taken, rest) = split.ok_or_else(|| damaged("a field longer than its message"))?;
        self.0 = rest;
        Ok(taken)
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let Some((&byte, behind)) = rest.split_first() else {
            return Err(damaged("a message that ends early"));
        };
        *rest = behind;
        let bits = u64::from(byte & 127);
        if bits << shift >> shift != bits {
            break;
        }
        number |= bits << shift;
        if byte < 128 {
            return Ok(number);
        }
    }
    Err(damaged("a number of more than 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentations_example() {
        let mut fields = Message(&[0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 1, 2, 3, 4]);
        assert_eq!(fields.next().unwrap(), Some((1, Value::Number(150))));
        assert_eq!(fields.next().unwrap(), Some((2, Value::Bytes(b"hi"))));
        assert_eq!(fields.next().unwrap(), Some((3, Value::Fixed)));
        assert_eq!(fields.next().unwrap(), None);
    }

    #[test]
    fn numbers_are_packed_or_not() {
        let collect = |value: Value<'_>| {
            let mut all = Vec::new();
            value.each_number(|n| all.push(n)).map(|()| all)
        };
        assert_eq!(collect(Value::Bytes(&[1, 0x96, 1])).unwrap(), [1, 150]);
        assert_eq!(collect(Value::Number(7)).unwrap(), [7]);
        assert!(collect(Value::Bytes(&[0x96])).is_err());
    }

    #[test]
    fn what_is_cut_or_too_long_is_an_error() {
        for bytes in [&[0x08][..], &[0x12, 3, 0], &[0x0b], &[0x09, 1], &[0x80; 11], &[8, 255, 255]] {
            assert!(Message(bytes).next().is_err(), "{bytes:?}");
        }
        let mut most = vec![8];
        most.extend([255; 9]);
        most.push(1);
        assert_eq!(Message(&most).next().unwrap(), Some((1, Value::Number(u64::MAX))));
        *most.last_mut().unwrap() = 2;
        assert!(Message(&most).next().is_err());
    }
}
