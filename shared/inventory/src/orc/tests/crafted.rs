//! Files made byte by byte.

use super::*;

pub(super) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

pub(super) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

pub(super) fn text(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// An uncompressed file of one stripe, or of several that are alike.
#[derive(Clone)]
pub(super) struct Crafted {
    pub(super) root: u64,
    /// Name, type, encoding, dictionary.
    pub(super) columns: Vec<(&'static str, u64, u64, u64)>,
    /// Kind, column, bytes.
    pub(super) streams: Vec<(u64, u64, Vec<u8>)>,
    pub(super) rows: u64,
    pub(super) footer_rows: u64,
    pub(super) zone: &'static str,
    pub(super) magic: &'static [u8],
    pub(super) compression: u64,
    pub(super) block: u64,
    pub(super) stripes: u64,
    pub(super) stripe_at: u64,
    /// What the stripe's data is said to be longer.
    pub(super) more_data: u64,
    /// What the last stream is said to be longer.
    pub(super) more_stream: u64,
    pub(super) more_footer: Vec<u8>,
}

/// Keys "a" and "bc", sizes 7 and 7.
pub(super) fn sound() -> Crafted {
    Crafted {
        root: 12,
        columns: vec![("Key", 7, 2, 0), ("SIZE", 4, 0, 0)],
        streams: vec![
            // Lengths 1 and 2, as the second encoding's direct values of eight bits.
            (2, 1, vec![0b0100_1110, 1, 1, 2]),
            (1, 1, b"abc".to_vec()),
            (1, 2, vec![254, 14, 14]),
        ],
        rows: 2,
        footer_rows: 2,
        zone: "UTC",
        magic: b"ORC",
        compression: 0,
        block: 1 << 18,
        stripes: 1,
        stripe_at: 3,
        more_data: 0,
        more_stream: 0,
        more_footer: Vec::new(),
    }
}

impl Crafted {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (stripe, footer_len) = self.stripe();
        let data = stripe.len() as u64 - footer_len;
        let mut file = [b"ORC".to_vec(), stripe.repeat(self.stripes as usize)].concat();
        let info = |nth| {
            let parts = [
                number(1, self.stripe_at.wrapping_add(nth * stripe.len() as u64)),
                number(3, data.wrapping_add(self.more_data)),
                number(4, footer_len),
                number(5, self.rows),
            ];
            text(3, &parts.concat())
        };
        let infos: Vec<u8> = (0..self.stripes).flat_map(info).collect();
        let mut root = number(1, self.root);
        for (nth, (name, ..)) in self.columns.iter().enumerate() {
            root.extend([number(2, nth as u64 + 1), text(3, name.as_bytes())].concat());
        }
        let mut end = [infos, text(4, &root), number(6, self.footer_rows)].concat();
        self.columns.iter().for_each(|(_, kind, ..)| end.extend(text(4, &number(1, *kind))));
        end.extend_from_slice(&self.more_footer);
        file.extend_from_slice(&end);
        let postscript = [
            number(1, end.len() as u64),
            number(2, self.compression),
            number(3, self.block),
            text(8000, self.magic),
        ]
        .concat();
        file.extend_from_slice(&postscript);
        file.push(postscript.len() as u8);
        file
    }

    /// A stripe, and how many bytes of it are its footer.
    fn stripe(&self) -> (Vec<u8>, u64) {
        let (mut stripe, mut footer) = (Vec::new(), Vec::new());
        for (nth, (kind, column, bytes)) in self.streams.iter().enumerate() {
            stripe.extend_from_slice(bytes);
            let more = if nth + 1 == self.streams.len() { self.more_stream } else { 0 };
            let len = (bytes.len() as u64).wrapping_add(more);
            footer.extend(text(1, &[number(1, *kind), number(2, *column), number(3, len)].concat()));
        }
        footer.extend(text(2, &number(1, 0)));
        for (_, _, encoding, dictionary) in &self.columns {
            footer.extend(text(2, &[number(1, *encoding), number(2, *dictionary)].concat()));
        }
        footer.extend(text(3, self.zone.as_bytes()));
        stripe.extend_from_slice(&footer);
        (stripe, footer.len() as u64)
    }

    #[track_caller]
    fn fails(&self, expected: &str) {
        assert_eq!(error_of(self.bytes()), expected);
    }
}

pub(super) fn with(change: impl FnOnce(&mut Crafted)) -> Crafted {
    let mut file = sound();
    change(&mut file);
    file
}

fn row(key: &[u8], size: i64) -> Row {
    Row { key: Some((key.to_vec(), key.len())), size: Some(size), ..Row::default() }
}

#[test]
fn a_sound_file_is_read() {
    let (rows, error) = read_all(sound().bytes(), 4096);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rows, [row(b"a", 7), row(b"bc", 7)]);
}

#[test]
fn what_a_file_says_about_itself_is_checked() {
    let damaged = |text: &str| format!("damaged orc file: {text}");
    with(|file| file.footer_rows = 3).fails(&damaged("stripes of 2 rows, but the footer says 3"));
    with(|file| file.stripe_at = 1 << 40).fails(&damaged("stripe 1: ends behind the last byte for stripes"));
    with(|file| file.stripe_at = u64::MAX).fails(&damaged("stripe 1: ends behind the last byte for stripes"));
    with(|file| file.more_data = 1 << 40).fails(&damaged("stripe 1: ends behind the last byte for stripes"));
    with(|file| file.more_stream = 1 << 40)
        .fails(&damaged("stripe 1: footer: streams that end behind their stripe"));
    with(|file| file.more_stream = u64::MAX - 3)
        .fails(&damaged("stripe 1: footer: streams that end behind their stripe"));
    with(|file| file.magic = b"ORB").fails(&damaged("postscript: its magic is \"ORB\", expected \"ORC\""));
    with(|file| (file.compression, file.block) = (1, 0))
        .fails(&damaged("compression blocks of 0 bytes, expected at most 8388607"));
    with(|file| (file.compression, file.block) = (1, 1 << 40))
        .fails(&damaged("compression blocks of 1099511627776 bytes, expected at most 8388607"));
    let most = 1 << 18;
    for list in [
        text(3, &number(4, 1)).repeat(most),
        text(4, &[]).repeat(most),
        text(4, &text(2, &vec![1; most + 1])),
        text(4, &text(3, b"").repeat(most + 1)),
        [text(4, &text(2, &vec![1; most / 2])), text(4, &text(3, b"").repeat(most / 2))].concat(),
    ] {
        with(|file| file.more_footer = list).fails(&damaged("footer: lists too much"));
    }
    with(|file| file.compression = 3).fails("postscript: lzo compression isn't understood");
    with(|file| file.compression = 9).fails("postscript: compression 9 isn't known");
    with(|file| file.root = 4).fails("footer: rows are bigint, expected struct");
    with(|file| file.streams.push((1, 1, vec![1])))
        .fails(&damaged("stripe 1: footer: stream 1 of column 1 is there twice"));
    let mut overlapping = with(|file| file.footer_rows = 4);
    overlapping.more_footer = text(3, &[number(1, 3), number(4, 1), number(5, 2)].concat());
    overlapping.fails(&damaged("stripe 2: begins before the last one ends"));
    with(|file| file.more_footer = text(3, &number(5, 2)))
        .fails(&damaged("footer: a stripe without a footer"));
}

#[test]
fn streams_have_exactly_their_rows() {
    let damaged = |text: &str| format!("damaged orc file: stripe 1: column {text}");
    let rows = |rows| with(|file| (file.rows, file.footer_rows) = (rows, rows));
    rows(3).fails(&damaged("key: length: ends early"));
    rows(1).fails(&damaged("key: length: has more values than its stripe has rows"));
    with(|file| file.streams[1].2.push(b'd')).fails(&damaged("key: data: has more bytes than its texts"));
    with(|file| file.streams[1].2.truncate(2)).fails(&damaged("key: data: ends early"));
    with(|file| file.streams[2].2.push(255))
        .fails(&damaged("size: data: has more values than its stripe has rows"));
    with(|file| drop(file.streams.remove(2))).fails(&damaged("size: data: ends early"));
    with(|file| file.streams.push((0, 0, vec![255, 0x80])))
        .fails("damaged orc file: stripe 1: has rows that are null as a whole");
    let whole = with(|file| file.streams.push((0, 0, vec![255, 0xc0])));
    assert_eq!(read_all(whole.bytes(), 4096).0.len(), 2);
    // A stripe of as many rows as there can be: none of them has a value.
    rows(u64::MAX).fails(&damaged("key: length: ends early"));
}

#[test]
fn columns_are_checked() {
    with(|file| file.columns[0].0 = "kee").fails("column key: is missing: is it a file of an inventory?");
    with(|file| file.columns[1].0 = "key").fails("column key: is there twice");
    with(|file| file.columns[0].1 = 4)
        .fails("column key: is bigint, expected string or varchar or char or binary");
    with(|file| file.columns[1].1 = 1).fails("column size: is tinyint, expected bigint or int or smallint");
    with(|file| file.columns[1].1 = 99)
        .fails("column size: is of the unknown type 99, expected bigint or int or smallint");
    with(|file| file.columns[1].2 = 1).fails("damaged orc file: stripe 1: column size: has the encoding 1");
    with(|file| file.columns[0].2 = 9).fails("damaged orc file: stripe 1: column key: has the encoding 9");
    let encrypted = |root| with(|file| file.more_footer = text(10, &text(3, &number(1, root))));
    encrypted(1).fails("column key: is encrypted");
    encrypted(0).fails("column key: is encrypted");
    assert_eq!(read_all(encrypted(9).bytes(), 4096).0.len(), 2);
}

/// Seconds 0 and 1 after 2015, of which the second has 5 ms more.
pub(super) fn times(zone: &'static str, kind: u64) -> Crafted {
    with(|file| {
        file.columns.push(("last_modified_date", kind, 0, 0));
        file.streams.push((1, 3, vec![254, 0, 2]));
        file.streams.push((5, 3, vec![254, 0, 5 << 3 | 5]));
        file.zone = zone;
    })
}

#[test]
fn times_are_of_utc() {
    for (zone, kind) in [("UTC", 9), ("", 9), ("GMT", 9), ("Etc/UTC", 9), ("America/Los_Angeles", 18)] {
        let (rows, error) = read_all(times(zone, kind).bytes(), 4096);
        assert!(error.is_none(), "{error:?}");
        let times: Vec<_> = rows.iter().map(|row| row.modified.unwrap()).collect();
        assert_eq!(times, [1_420_070_400_000, 1_420_070_401_005]);
    }
    times("America/Los_Angeles", 9).fails(
        "stripe 1: column last_modified_date: times of the zone America/Los_Angeles: only those of UTC are understood",
    );
}

/// Rows of the keys "bc", "a", "a", by dictionary.
pub(super) fn dictionary() -> Crafted {
    with(|file| {
        file.columns[0] = ("key", 7, 1, 2);
        file.streams = vec![
            (2, 1, vec![254, 1, 2]),
            (3, 1, b"abc".to_vec()),
            (1, 1, vec![253, 1, 0, 0]),
            (1, 2, vec![253, 14, 14, 14]),
        ];
        (file.rows, file.footer_rows) = (3, 3);
    })
}

#[test]
fn dictionaries_are_bounded_and_checked() {
    let (rows, error) = read_all(dictionary().bytes(), 4096);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rows, [row(b"bc", 7), row(b"a", 7), row(b"a", 7)]);
    let fails = |change: fn(&mut Crafted), expected: &str| {
        let mut file = dictionary();
        change(&mut file);
        file.fails(expected);
    };
    fails(
        |file| file.streams[2].2[1] = 2,
        "damaged orc file: stripe 1: column key: data: text 2 of a dictionary of 2",
    );
    fails(|file| file.columns[0].3 = 3, "damaged orc file: stripe 1: column key: length: ends early");
    fails(|file| file.columns[0].3 = u64::MAX, "damaged orc file: stripe 1: column key: length: ends early");
    let more = "damaged orc file: stripe 1: column key: length: has more values than its stripe has rows";
    fails(|file| file.columns[0].3 = 1, more);
    fails(
        |file| file.streams[1].2.push(b'x'),
        "damaged orc file: stripe 1: column key: dictionary: has more bytes than its texts",
    );
    let most = "stripe 1: column key: a dictionary of more than 1048576 bytes doesn't fit the memory budget";
    fails(|file| file.streams[0].2 = vec![254, 1, 255, 255, 255, 127], most);
    // Very many empty texts from a few bytes.
    fails(
        |file| {
            file.columns[0].3 = u64::MAX;
            file.streams[0].2 = [127, 0, 0].repeat(2000);
        },
        most,
    );
}

#[test]
fn long_texts_are_cut_and_their_length_kept() {
    let keys = [vec![b'x'; 5000], vec![b'y'; 1024], vec![b'z'; 1025]];
    let file = with(|file| {
        (file.rows, file.footer_rows) = (3, 3);
        file.streams[0].2 = vec![0x5e, 2, 0x13, 0x88, 4, 0, 4, 1];
        file.streams[1].2 = keys.concat();
        file.streams[2].2 = vec![0, 0, 14];
    });
    for window in [4096, 1 << 20] {
        let (rows, error) = read_all(file.bytes(), window);
        assert!(error.is_none(), "{error:?}");
        for (row, key) in rows.iter().zip(&keys) {
            assert_eq!(row.key, Some((key[..key.len().min(1025)].to_vec(), key.len())));
        }
    }
    let length =
        |len: u64| with(|file| file.streams[0].2 = [&[0x7e, 1][..], &len.to_be_bytes(), &[0; 8]].concat());
    length(u64::MAX)
        .fails("damaged orc file: stripe 1: column key: data: a text of 18446744073709551615 bytes");
    length(u64::MAX >> 1).fails("damaged orc file: stripe 1: column key: data: ends early");
}

#[test]
fn a_failing_source_comes_out_unchanged() {
    for good in 0..4 {
        let file = Watched { good, ..Watched::new(sound().bytes()) };
        let Err(InputError::Io(error)) = read_into(&file, 4096, &mut Vec::new()) else {
            panic!("read {good} parts")
        };
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "too slow"));
    }
}
