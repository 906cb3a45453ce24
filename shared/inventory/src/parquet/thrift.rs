//! What a footer may look like, checked before the parquet crate reads it: that one makes room for as
//! many things as counts in it say, and follows groups of columns as deep as they lie in each other,
//! which ends the process rather than the file.
//!
//! Thrift's compact protocol tells the type of each field, but the crate reads those that it knows as
//! what they should be. So they are compared with that, or the two would not see the same.

/// The most elements that all lists of a footer have together. Each column of each row group takes
/// some ten of them, and less than a kilobyte of memory.
const MAX_ELEMENTS: u64 = 1 << 18;
/// The most columns and groups of columns; an inventory has some twenty.
const MAX_COLUMNS: u64 = 1 << 12;
/// The longest name of a column, in bytes.
const MAX_NAME: u64 = 1 << 10;
/// How deep lists, structs, and groups of columns lie in each other at most.
const MAX_DEPTH: usize = 16;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// What a field is.
#[derive(Clone, Copy)]
enum Is {
    /// Not known: the crate skips it by its own type.
    Unknown,
    /// A value of this type.
    Plain(u8),
    List(&'static Is),
    Struct(Known),
    Schema,
}

/// The fields of a struct that the crate knows, by their numbers.
type Known = &'static [(i16, Is)];

const BOOL: Is = Is::Plain(TRUE);
const I8: Is = Is::Plain(3);
const I16: Is = Is::Plain(4);
const I32: Is = Is::Plain(5);
const I64: Is = Is::Plain(6);
const DOUBLE: Is = Is::Plain(7);
const BINARY: Is = Is::Plain(8);
const EMPTY: Is = Is::Struct(&[]);

/// `FileMetaData` of parquet.thrift.
const FILE: Known = &[
    (1, I32),
    (2, Is::Schema),
    (3, I64),
    (4, Is::List(&Is::Struct(ROW_GROUP))),
    (5, Is::List(&Is::Struct(&[(1, BINARY), (2, BINARY)]))),
    (6, BINARY),
    (7, Is::List(&Is::Struct(&[(1, EMPTY), (2, EMPTY)]))),
];
/// Of [`FILE`]: how columns are encrypted, where the footer is not.
const ENCRYPTION: i16 = 8;
const NAME: i16 = 4;
const CHILDREN: i16 = 5;
const SCHEMA_ELEMENT: Known = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (NAME, BINARY),
    (CHILDREN, I32),
    (6, I32),
    (7, I32),
    (8, I32),
    (9, I32),
    (10, Is::Struct(LOGICAL_TYPE)),
];
const LOGICAL_TYPE: Known = &[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Is::Struct(&[(1, I32), (2, I32)])),
    (6, EMPTY),
    (7, Is::Struct(TIME)),
    (8, Is::Struct(TIME)),
    (10, Is::Struct(&[(1, I8), (2, BOOL)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Is::Struct(&[(1, I8)])),
    (17, Is::Struct(&[(1, BINARY)])),
    (18, Is::Struct(&[(1, BINARY), (2, I32)])),
    (19, EMPTY),
];
const TIME: Known = &[(1, BOOL), (2, Is::Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))];
const ROW_GROUP: Known = &[
    (1, Is::List(&Is::Struct(COLUMN_CHUNK))),
    (2, I64),
    (3, I64),
    (4, Is::List(&Is::Struct(&[(1, I32), (2, BOOL), (3, BOOL)]))),
    (5, I64),
    (7, I16),
];
const COLUMN_CHUNK: Known =
    &[(1, BINARY), (2, I64), (3, Is::Struct(COLUMN)), (4, I64), (5, I32), (6, I64), (7, I32)];
/// Without the statistics, which the crate is told to skip.
const COLUMN: Known = &[
    (1, I32),
    (2, Is::List(&I32)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (9, I64),
    (10, I64),
    (11, I64),
    (14, I64),
    (15, I32),
    (17, Is::Struct(&[(1, Is::Struct(BOX)), (2, Is::List(&I32))])),
];
const BOX: Known =
    &[(1, DOUBLE), (2, DOUBLE), (3, DOUBLE), (4, DOUBLE), (5, DOUBLE), (6, DOUBLE), (7, DOUBLE), (8, DOUBLE)];

type Checked<T> = Result<T, &'static str>;

/// Checks a footer: whether columns are encrypted, or what is wrong with it.
pub(super) fn check(footer: &[u8]) -> Checked<bool> {
    let mut walk = Walk { rest: footer, elements: 0, depth: 0 };
    let mut encrypted = false;
    walk.fields(FILE, &mut |id, _| encrypted |= id == ENCRYPTION)?;
    Ok(encrypted)
}

struct Walk<'a> {
    rest: &'a [u8],
    elements: u64,
    depth: usize,
}

impl Walk<'_> {
    fn bytes(&mut self, len: u64) -> Checked<()> {
        let rest = usize::try_from(len).ok().and_then(|len| self.rest.get(len..));
        self.rest = rest.ok_or("ends too early")?;
        Ok(())
    }

    fn byte(&mut self) -> Checked<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or("ends too early")?;
        self.rest = rest;
        Ok(byte)
    }

    fn varint(&mut self) -> Checked<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("has a number of more than ten bytes")
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        if self.depth >= MAX_DEPTH {
            return Err("is nested too deep");
        }
        self.depth += 1;
        let out = inner(self);
        self.depth -= 1;
        out
    }

    /// Walks over a value: of numbers as they are written, of texts their length, else 0.
    fn value(&mut self, is: Is, wire: u8) -> Checked<u64> {
        match (is, wire) {
            (Is::Schema, LIST) => self.schema().map(|()| 0),
            (Is::List(of), LIST) => self.list(*of).map(|()| 0),
            (Is::Struct(known), STRUCT) => self.fields(known, &mut |_, _| {}).map(|()| 0),
            (Is::Unknown, LIST | SET) => self.list(Is::Unknown).map(|()| 0),
            (Is::Unknown, STRUCT) => self.fields(&[], &mut |_, _| {}).map(|()| 0),
            (Is::Unknown, plain) => self.plain(plain),
            (Is::Plain(TRUE), FALSE) => Ok(0),
            (Is::Plain(plain), _) if plain == wire => self.plain(plain),
            _ => Err("has a field of another type than it should be"),
        }
    }

    fn plain(&mut self, wire: u8) -> Checked<u64> {
        match wire {
            TRUE | FALSE => Ok(0),
            3 => self.bytes(1).map(|()| 0),
            4..=6 => self.varint(),
            7 => self.bytes(8).map(|()| 0),
            8 => {
                let len = self.varint()?;
                self.bytes(len).map(|()| len)
            }
            _ => Err("has a type that footers don't have"),
        }
    }

    /// Walks over a struct, and tells the number and the value of each of its fields.
    fn fields(&mut self, known: Known, each: &mut dyn FnMut(i16, u64)) -> Checked<()> {
        self.deeper(|walk| {
            let mut id = 0_i16;
            loop {
                let header = walk.byte()?;
                let (step, wire) = (i16::from(header >> 4), header & 15);
                if wire == 0 {
                    return Ok(());
                }
                // The long form is for fields out of order, and for far ones.
                id = id.checked_add(step).filter(|_| step > 0).ok_or("has fields out of order")?;
                let is = known.iter().find(|(known, _)| *known == id).map_or(Is::Unknown, |(_, is)| *is);
                each(id, walk.value(is, wire)?);
            }
        })
    }

    /// The type of a list's elements, and how many they are.
    fn list_header(&mut self) -> Checked<(u8, u64)> {
        let header = self.byte()?;
        let len = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
        self.elements = self.elements.saturating_add(len);
        match header & 15 {
            // The crate skips such lists in another way than it reads them.
            0..=FALSE if len > 0 => Err("has a list of a type that footers don't have"),
            _ if self.elements > MAX_ELEMENTS => Err("lists too much"),
            wire => Ok((wire, len)),
        }
    }

    fn list(&mut self, of: Is) -> Checked<()> {
        self.deeper(|walk| {
            let (wire, len) = walk.list_header()?;
            (0..len).try_for_each(|_| walk.value(of, wire).map(|_| ()))
        })
    }

    /// Walks over the columns and groups of columns: each group stands before what is in it.
    fn schema(&mut self) -> Checked<()> {
        let (wire, len) = self.list_header()?;
        if len > MAX_COLUMNS {
            return Err("has too many columns");
        }
        let mut open: Vec<u64> = Vec::new();
        for left in (0..len).rev() {
            let (mut name, mut children) = (0, 0);
            if wire != STRUCT {
                return Err("has columns that are none");
            }
            self.fields(SCHEMA_ELEMENT, &mut |id, value| match id {
                NAME => name = value,
                CHILDREN => children = value,
                _ => {}
            })?;
            // Zigzag: odd numbers are negative.
            if name > MAX_NAME || children % 2 == 1 || children / 2 > left {
                return Err("has a column of an impossible name or number of columns");
            }
            if let Some(group) = open.last_mut() {
                *group = group.saturating_sub(1);
            }
            open.push(children / 2);
            while open.last() == Some(&0) {
                open.pop();
            }
            if open.len() > MAX_DEPTH {
                return Err("has groups of columns nested too deep");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value > 0x7f {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    fn list(wire: u8, len: u64) -> Vec<u8> {
        [vec![0xf0 | wire], varint(len)].concat()
    }

    /// A footer's version, then these schema elements, then `rest`.
    fn footer(len: u64, elements: &[u8], rest: &[u8]) -> Vec<u8> {
        [&[0x15, 2, 0x19][..], &list(STRUCT, len), elements, rest].concat()
    }

    /// A group of so many, or a column.
    fn element(children: u64) -> Vec<u8> {
        [&[0x48, 1, b'n'][..], &[0x15], &varint(children * 2), &[0]].concat()
    }

    #[test]
    fn footers_are_followed() {
        assert_eq!(check(&footer(2, &[element(1), element(0)].concat(), &[0])), Ok(false));
        let unknown = [0x7c, 0x18, 1, b'x', 0x19, 0x25, 1, 2, 0, 0];
        assert_eq!(check(&footer(1, &element(0), &unknown)), Ok(false), "a field that isn't known");
        assert_eq!(check(&footer(1, &element(0), &[0x6c, 0, 0])), Ok(true), "a kind of encryption");
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        let expect = |footer: &[u8], what| assert_eq!(check(footer), Err(what));
        let chain: Vec<u8> = (0..40).flat_map(|nth| element(u64::from(nth < 39))).collect();
        expect(&footer(40, &chain, &[0]), "has groups of columns nested too deep");
        let impossible = "has a column of an impossible name or number of columns";
        expect(&footer(2, &[element(2), element(0)].concat(), &[0]), impossible);
        expect(&footer(1, &element(1 << 31), &[0]), impossible);
        expect(&footer(1, &[0x48, 1, b'n', 0x15, 1, 0], &[0]), impossible);
        let long = [&[0x48][..], &varint(2000), &[b'n'; 2000], &[0]].concat();
        expect(&footer(1, &long, &[0]), impossible);
        expect(&footer(5000, &[], &[]), "has too many columns");
        expect(&footer(1 << 30, &[], &[]), "lists too much");
        expect(&footer(1, &element(0), &[&[0x29][..], &list(STRUCT, 1 << 20)].concat()), "lists too much");
        let deep = [vec![0x6c], vec![0x1c; 100]].concat();
        expect(&footer(1, &element(0), &deep), "is nested too deep");
        let lists = [vec![0x69], [0x19; 100].to_vec()].concat();
        expect(&footer(1, &element(0), &lists), "is nested too deep");
    }

    #[test]
    fn what_the_crate_could_take_for_something_else_is_refused() {
        let expect = |footer: &[u8], what| assert_eq!(check(footer), Err(what));
        expect(&[0x18, 1, 0], "has a field of another type than it should be");
        expect(&[0x28, 1, 0, 0], "has a field of another type than it should be");
        expect(&[0x15, 2, 0x15, 0, 0], "has a field of another type than it should be");
        expect(&[0x05, 2, 2, 0], "has fields out of order");
        expect(&footer(1, &[0x48, 1, b'n', 0x11, 0], &[0]), "has a field of another type than it should be");
        expect(&[0x15, 2, 0x19, 0x18, 1, b'x', 0], "has columns that are none");
        expect(&footer(1, &element(0), &[0x69, 0x11, 1, 0]), "has a list of a type that footers don't have");
        expect(&footer(1, &element(0), &[0x6b, 0, 0]), "has a type that footers don't have");
        expect(
            &[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            "has a number of more than ten bytes",
        );
        for cut in [&[][..], &[0x15], &[0x15, 0x80], &[0x15, 2, 0x48, 9, 1]] {
            assert!(check(cut).is_err(), "{cut:?}");
        }
    }
}
