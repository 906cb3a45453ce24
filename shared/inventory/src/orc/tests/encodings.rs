//! The specification's examples.

use super::super::booleans::Booleans;
use super::super::codec::Compression;
use super::super::integers::{Integers, Sign, Version};
use super::super::stream::{Layout, Stream};
use super::*;

fn stream(bytes: &Bytes, compression: Compression) -> Stream<'_> {
    let layout = Layout { compression, block: 1 << 18, window: 4096 };
    Stream::new(bytes, layout, 0, bytes.len() as u64).unwrap()
}

/// Decodes `count` numbers, of which there must be no more.
fn integers(bytes: &[u8], version: Version, sign: Sign, count: usize) -> Result<Vec<i64>> {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut integers = Integers::new(stream(&bytes, Compression::None), version, sign);
    let mut numbers = Vec::new();
    integers.fill(count, &mut numbers)?;
    integers.ended()?;
    Ok(numbers)
}

#[track_caller]
fn decodes(bytes: &[u8], version: Version, sign: Sign, expected: &[i64]) {
    assert_eq!(integers(bytes, version, sign, expected.len()).unwrap(), expected);
    let cut = &bytes[..bytes.len() - 1];
    assert!(integers(cut, version, sign, expected.len()).is_err());
    assert!(integers(bytes, version, sign, expected.len() - 1).is_err());
    assert!(integers(bytes, version, sign, expected.len() + 1).is_err());
}

use Sign::{Signed, Unsigned};
use Version::{V1, V2};

#[test]
fn first_run_lengths() {
    decodes(&[0x61, 0x00, 0x07], V1, Unsigned, &[7; 100]);
    decodes(&[0x61, 0xff, 0x64], V1, Unsigned, &(1..=100).rev().collect::<Vec<_>>());
    decodes(&[0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b], V1, Unsigned, &[2, 3, 6, 7, 11]);
    decodes(&[0xfb, 0x02, 0x03, 0x06, 0x07, 0xac, 0x02], V1, Signed, &[1, -2, 3, -4, 150]);
}

#[test]
fn short_repeat() {
    decodes(&[0x0a, 0x27, 0x10], V2, Unsigned, &[10_000; 5]);
    decodes(&[0x00, 0x01], V2, Signed, &[-1; 3]);
    let eight = [&[0x3f][..], &[0xff; 8]].concat();
    decodes(&eight, V2, Signed, &[i64::MIN; 10]);
}

#[test]
fn direct() {
    let bytes = [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef];
    decodes(&bytes, V2, Unsigned, &[23713, 43806, 57005, 48879]);
    decodes(&[0x40, 0x08, 0b1010_0000, 0b1000_0000], V2, Unsigned, &[1, 0, 1, 0, 0, 0, 0, 0, 1]);
    let wide = [&[0x7e, 1][..], &u64::MAX.to_be_bytes(), &2u64.to_be_bytes()].concat();
    decodes(&wide, V2, Signed, &[i64::MIN, 1]);
}

#[test]
fn patched_base() {
    let bytes = [
        0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64,
        0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
    ];
    let expected = [
        2030, 2000, 2020, 1_000_000, 2040, 2050, 2060, 2070, 2080, 2090, 2100, 2110, 2120, 2130, 2140, 2150,
        2160, 2170, 2180, 2190,
    ];
    decodes(&bytes, V2, Signed, &expected);
    decodes(&bytes, V2, Unsigned, &expected);
    // A negative base: its first bit is the sign.
    let mut negative = bytes;
    negative[4] |= 0x80;
    decodes(&negative, V2, Signed, &expected.map(|value| value - 4000));
    // A patch behind the run, and one that leaves 64 bits.
    let mut behind = bytes;
    behind[1] = 2;
    assert!(integers(&behind, V2, Signed, 3).is_err());
    assert!(integers(&[0xbe, 0, 0x1f, 0xe1, 0, 0, 0, 0, 0, 0, 0, 0, 0], V2, Signed, 1).is_err());
}

#[test]
fn delta() {
    let primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];
    decodes(&[0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46], V2, Unsigned, &primes);
    // Down by two each, and by one, two, four.
    decodes(&[0xc0, 0x03, 0x14, 0x03], V2, Signed, &[10, 8, 6, 4]);
    decodes(&[0xc6, 0x03, 0x0a, 0x01, 0x24], V2, Unsigned, &[10, 9, 7, 3]);
    decodes(&[0xc0, 0x00, 0x05, 0x00], V2, Unsigned, &[5]);
    // It may leave the numbers' range: writers don't, and readers go round.
    let most = [&[0xc0, 0x02][..], &[0xfe], &[0xff; 8], &[0x01, 0x02]].concat();
    decodes(&most, V2, Signed, &[i64::MAX, i64::MIN, i64::MIN + 1]);
}

fn booleans(bytes: &[u8], count: usize) -> Result<Vec<bool>> {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut booleans = Booleans::new(stream(&bytes, Compression::None));
    let (mut all, mut part) = (Vec::new(), Vec::new());
    for from in (0..count).step_by(3) {
        booleans.fill(3.min(count - from), &mut part)?;
        all.extend_from_slice(&part);
    }
    booleans.ended()?;
    Ok(all)
}

#[test]
fn bytes_and_booleans() {
    assert_eq!(booleans(&[0x61, 0x00], 800).unwrap(), [false; 800]);
    assert_eq!(booleans(&[0xff, 0x80], 8).unwrap(), [true, false, false, false, false, false, false, false]);
    let bits = [false, true, false, false, false, true, false, false, false, true];
    assert_eq!(booleans(&[0xfe, 0x44, 0x45], 10).unwrap(), bits);
    assert!(booleans(&[0xfe, 0x44, 0x45], 8).is_err());
    assert!(booleans(&[0xfe, 0x44, 0x45], 17).is_err());
    assert!(booleans(&[0x61], 1).is_err());
}

#[test]
fn blocks() {
    let all = |bytes: &[u8], compression| {
        let bytes = Bytes::copy_from_slice(bytes);
        stream(&bytes, compression).read_all(1 << 20)
    };
    assert_eq!(all(&[0x0b, 0, 0, 1, 2, 3, 4, 5], Compression::Zlib).unwrap(), [1, 2, 3, 4, 5]);
    // Empty ones, between others.
    assert_eq!(all(&[1, 0, 0, 3, 0, 0, 9, 1, 0, 0, 3, 0, 0, 8, 1, 0, 0], Compression::Zlib).unwrap(), [9, 8]);
    for bytes in
        [&[0x0b][..], &[0x0b, 0, 0], &[0x0b, 0, 0, 1, 2, 3, 4], &[0x0a, 0, 0, 255, 255, 255, 255, 255]]
    {
        for codec in [Compression::Zlib, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            assert!(all(bytes, codec).is_err(), "{bytes:?} {codec:?}");
        }
    }
    // As long as a block can be, but longer than this file's.
    let long = [&[0x41, 0x0d, 0x08][..], &vec![0; 1 << 19]].concat();
    assert!(all(&long, Compression::Zlib).unwrap_err().to_string().contains("a block of "));
    assert!(all(&vec![0; 100_000], Compression::None).is_ok_and(|bytes| bytes.len() == 100_000));
    let bytes = Bytes::from_static(&[0; 100]);
    assert!(stream(&bytes, Compression::None).read_all(99).is_err());
}

/// Numbers of every width, and across blocks and windows of the smallest size.
#[test]
fn widths_and_joints() {
    for (code, width) in (0u8..32).map(|code| (code, super::super::bits::width_of(code))) {
        let mask = u64::MAX >> (64 - width);
        let values: Vec<u64> =
            (0..512u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) & mask).collect();
        let mut bits: Vec<bool> = Vec::new();
        for value in &values {
            bits.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
        }
        let packed = bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)));
        let run: Vec<u8> = [0x41 | code << 1, 255].into_iter().chain(packed).collect();
        let expected: Vec<i64> =
            values.iter().map(|value| value.cast_signed()).cycle().take(512 * 9).collect();
        assert_eq!(integers(&run.repeat(9), V2, Unsigned, 512 * 9).unwrap(), expected);
        // In stored blocks of seven bytes.
        let blocks: Vec<u8> =
            run.chunks(7).flat_map(|part| [&[(part.len() << 1 | 1) as u8, 0, 0], part].concat()).collect();
        let blocks = Bytes::from(blocks);
        let mut from = Integers::new(stream(&blocks, Compression::Zlib), V2, Unsigned);
        let mut numbers = Vec::new();
        from.fill(512, &mut numbers).unwrap();
        assert_eq!(numbers, expected[..512]);
    }
}
