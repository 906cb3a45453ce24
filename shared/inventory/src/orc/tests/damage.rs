//! Files with every byte changed, and cut everywhere: an error or rows, and no panic.

use std::fs;

use super::*;

/// What can become of a byte.
const CHANGES: [fn(u8) -> u8; 6] =
    [|byte| byte ^ 1, |byte| byte ^ 0x80, |byte| !byte, |_| 0, |_| 0xff, |byte| byte.wrapping_add(3)];

/// Changes every byte in `ways` ways, others for each byte.
fn damage(file: &[u8], ways: usize) {
    for at in 0..file.len() {
        for change in CHANGES.iter().cycle().skip(at % CHANGES.len()).take(ways) {
            let mut damaged = file.to_vec();
            damaged[at] = change(file[at]);
            let _ = read_all(damaged, 4096);
        }
        assert!(read_all(file[..at].to_vec(), 4096).1.is_some(), "cut at {at}");
        // Cut out of the middle, so that the end is sound.
        let _ = read_all([&file[..at], &file[at + 1..]].concat(), 4096);
    }
}

#[test]
fn crafted_files() {
    damage(&super::crafted::sound().bytes(), CHANGES.len());
}

#[test]
fn written_files() {
    let folder = super::python::written(7, "small");
    for nth in 0..5 {
        damage(&fs::read(folder.path().join(format!("small-{nth}.orc"))).unwrap(), 2);
    }
}

#[test]
fn what_is_no_orc_file_is_an_error() {
    for file in [&b""[..], b"O", b"ORC", b"PAR1", b"\"b\",\"k\",\"1\",\"STANDARD\"\n", &[0; 100], &[255; 100]]
    {
        let error = error_of(file.to_vec());
        assert!(error.starts_with("damaged orc file: "), "{error}");
    }
}
