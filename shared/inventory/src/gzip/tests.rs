use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::testing::mutate;

fn gzip(raw: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

fn stream(gz: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    gunzip_stream(gz).read_to_end(&mut out)?;
    Ok(out)
}

fn text(len: usize) -> Vec<u8> {
    (0..len).flat_map(|nth: usize| format!("\"row {}\",\n", nth.wrapping_mul(7919)).into_bytes()).collect()
}

#[test]
fn gzip_is_told_by_its_first_bytes() {
    assert!(is_gzip(&gzip(b"")));
    for other in [&b""[..], b"\x1f", b"\"b\",\"k\"\n", b"\x8b\x1f"] {
        assert!(!is_gzip(other), "{other:?}");
    }
}

#[test]
fn members_follow_each_other() {
    let parts = [text(10), text(5000), Vec::new(), text(300), text(300)];
    let gz: Vec<u8> = parts.iter().flat_map(|part| gzip(part)).collect();
    let raw = parts.concat();
    let mut inflater = Inflater::new(raw.len()).unwrap();
    assert!(inflater.whole(&gz) == Some(&raw[..]));
    assert_eq!(inflater.whole(&gzip(b"short")), Some(&b"short"[..]));
    assert_eq!(stream(&gz).unwrap(), raw);
    assert_eq!(Inflater::new(raw.len() - 1).unwrap().whole(&gz), None);
}

#[test]
fn a_member_twice_is_twice() {
    let gz = gzip(b"same").repeat(2);
    assert_eq!(Inflater::new(100).unwrap().whole(&gz), Some(&b"samesame"[..]));
}

/// A member's header may have a checksum of its own. Only the stream compares it.
#[test]
fn a_wrong_checksum_of_a_header_is_an_error() {
    let mut with_checksum = gzip(b"text");
    with_checksum[3] |= 2;
    let mut crc = flate2::Crc::new();
    crc.update(&with_checksum[..10]);
    let checksum = (crc.sum() as u16).to_le_bytes();
    with_checksum.splice(10..10, checksum);
    let mut inflater = Inflater::new(100).unwrap();
    assert_eq!((inflater.whole(&with_checksum), stream(&with_checksum).unwrap()), (None, b"text".to_vec()));
    with_checksum[10] ^= 1;
    assert_eq!(inflater.whole(&with_checksum), None);
    let error = stream(&with_checksum).unwrap_err().to_string();
    assert!(error.starts_with("damaged gzip: "), "{error}");
}

/// The footer of an empty member is zeros, and so is what stands before it.
#[test]
fn an_empty_member_is_one() {
    let empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut inflater = Inflater::new(100).unwrap();
    assert_eq!(inflater.whole(&empty), Some(&b""[..]));
    assert_eq!(inflater.whole(&[&empty, &gzip(b"text")[..], &empty, &empty].concat()), Some(&b"text"[..]));
}

/// Data that isn't compressed and holds a whole gzip file: what looks like the next member isn't one.
#[test]
fn a_header_within_a_member_is_not_taken_for_one() {
    let raw = [vec![0; 20], gzip(b"inner"), vec![0; 20]].concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&raw).unwrap();
    let gz = encoder.finish().unwrap();
    assert!(gz.windows(3).skip(10).any(|at| at == [0x1f, 0x8b, 8]));
    assert_eq!(Inflater::new(1000).unwrap().whole(&gz), Some(&raw[..]));
}

#[test]
fn damage_is_named() {
    let gz = gzip(&text(1000));
    let damaged = |gz: &[u8]| {
        assert_eq!(Inflater::new(1 << 20).unwrap().whole(gz), None);
        let error = stream(gz).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        error.to_string()
    };
    for cut in [0, 1, 9, 10, 50, gz.len() - 9, gz.len() - 8, gz.len() - 1] {
        assert_eq!(damaged(&gz[..cut]), "truncated gzip", "{cut} of {}", gz.len());
    }
    let mut wrong = gz.clone();
    let checksum = gz.len() - 8;
    wrong[checksum] ^= 1;
    assert_eq!(damaged(&wrong), "damaged gzip: corrupt gzip stream does not have a matching checksum");
    assert_eq!(
        damaged(&[&gz[..], b"rubbish, and a lot of it"].concat()),
        "damaged gzip: invalid gzip header"
    );
    assert_eq!(damaged(&[&gz[..], &[0; 512]].concat()), "damaged gzip: invalid gzip header");
    assert_eq!(damaged(b"\"b\",\"k\",\"1\",\"STANDARD\"\n"), "damaged gzip: invalid gzip header");
}

#[test]
fn a_failing_source_comes_out_unchanged() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed"))
        }
    }
    let gz = gzip(&text(100));
    let mut out = Vec::new();
    let error = gunzip_stream((&gz[..50]).chain(Failing)).read_to_end(&mut out).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (io::ErrorKind::UnexpectedEof, "connection closed")
    );
}

proptest! {
    /// Whatever the bytes: where both ways give something, it is the same.
    #[test]
    fn whole_and_stream_agree(len in 0..200_usize, twice in any::<bool>(), at in any::<usize>(), to in any::<u8>(), cut in any::<bool>()) {
        let gz = gzip(&text(len)).repeat(if twice { 2 } else { 1 });
        let gz = mutate(&gz, at, to, cut);
        if let Some(whole) = Inflater::new(1 << 16).unwrap().whole(&gz) {
            prop_assert_eq!(whole, &stream(&gz).unwrap()[..]);
        }
    }
}
