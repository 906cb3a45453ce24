//! CSV in the shapes that it comes in: compressed or not, in one piece or streamed, and as RFC 4180 allows.

use s3inv_tests::{
    CURRENT, Cli, Delivered, Delivery, Folder, Row, VERSIONS, csv_text, folder, gzip, rolled_up, s3inv,
    single_objects,
};

use crate::build::{build, exported, pages, query, told};
use crate::sums::{assert_same, sums};

fn rows() -> Vec<Row> {
    vec![
        Row::new("plain/a", 1),
        Row::new("sp ace/b", 2).class("GLACIER"),
        Row::new("plus+/c", 4),
        Row::new("caf\u{e9}/d", 8).tier("ARCHIVE"),
        Row::new("e", 16).noncurrent(),
        Row::new("f", 32).marker(),
    ]
}

fn export_of(delivery: &Delivery) -> String {
    let folder = folder();
    build(&folder, &delivery.write(&folder.input())).run().summary();
    exported(&folder.index())
}

fn text() -> String {
    String::from_utf8(csv_text(rows(), VERSIONS)).unwrap()
}

fn expected() -> String {
    let export = export_of(&Delivery::csv_versions(&rows(), 1));
    assert_same(&sums(&export), &rolled_up(&rows(), VERSIONS));
    export
}

#[test]
fn lines_and_quotes_as_the_rfc_allows() {
    let unquoted = text().replace('"', "");
    for (what, text) in [
        ("CRLF", text().replace('\n', "\r\n")),
        ("no newline at the end", text().trim_end().to_owned()),
        ("CRLF, none at the end", text().replace('\n', "\r\n").trim_end().to_owned()),
        ("no quotes", unquoted.clone()),
        ("no quotes, CRLF", unquoted.replace('\n', "\r\n")),
        ("quotes in part", text().replace("\"true\"", "true").replace("\"my-bucket\"", "my-bucket")),
        ("flags in capitals", text().replace("true", "TRUE").replace("false", "False")),
        (
            "quotes and newlines in a field",
            text().replace("my-bucket", "my \"\"own\"\"\nbucket, and\r\nmore"),
        ),
        ("other versions' ids", text().replace("\"null\"", "\"\"")),
        ("dates without milliseconds", text().replace("48.000Z", "48Z")),
        ("dates of another zone", text().replace("T22:37:48.000Z", "T23:37:48+01:00")),
        ("escapes in small letters", text().replace("%C3%A9", "%c3%a9").replace("%2B", "%2b")),
        ("sizes with zeros before", text().replace("\"16\"", "\"0016\"")),
    ] {
        for (gz, delivery) in [
            (true, Delivery::csv_files(VERSIONS, vec![gzip(text.as_bytes())])),
            (false, Delivery::csv_files(VERSIONS, vec![text.into_bytes()]).ending(".csv.gz", ".csv")),
        ] {
            assert_eq!(export_of(&delivery), expected(), "{what}, gzip: {gz}");
        }
    }
}

/// Doubled quotes, for the one field that may hold any text: a key that isn't encoded.
#[test]
fn a_key_with_quotes_and_commas() {
    let text = text().replace("\"plain/a\"", "\"\"\"quoted\"\", and/a\"");
    let mut rows = rows();
    rows[0].key = b"\"quoted\", and/a".to_vec();
    let export = export_of(&Delivery::csv_files(VERSIONS, vec![gzip(text.as_bytes())]));
    assert_same(&sums(&export), &rolled_up(&rows, VERSIONS));
}

#[test]
fn gzip_of_several_members() {
    let text = text();
    // Cut anywhere: within a row, too.
    for cuts in [vec![1], vec![text.len() / 2], vec![10, 11, 200], vec![0, 0, text.len()]] {
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let members: Vec<_> = starts.zip(ends).map(|(from, to)| gzip(&text.as_bytes()[from..to])).collect();
        assert_eq!(export_of(&Delivery::csv_files(VERSIONS, vec![members.concat()])), expected(), "{cuts:?}");
    }
}

/// A name that tells nothing leaves it to the bytes.
#[test]
fn a_file_without_an_extension() {
    for bytes in [gzip(text().as_bytes()), text().into_bytes()] {
        let delivery = Delivery::csv_files(VERSIONS, vec![bytes]).ending(".csv.gz", "");
        assert_eq!(export_of(&delivery), expected());
    }
    for (end, gz) in [(".CSV", false), (".CSV.GZ", true), (".gz", true)] {
        let bytes = if gz { gzip(text().as_bytes()) } else { text().into_bytes() };
        let delivery = Delivery::csv_files(VERSIONS, vec![bytes]).ending(".csv.gz", end);
        assert_eq!(export_of(&delivery), expected(), "{end}");
    }
}

/// What is not what its name says is damaged.
#[test]
fn a_file_with_the_wrong_extension() {
    let folder = folder();
    for (bytes, end, cause) in
        [(text().into_bytes(), ".csv.gz", "damaged gzip: "), (gzip(text().as_bytes()), ".csv", "row 1: ")]
    {
        let delivered =
            Delivery::csv_files(VERSIONS, vec![bytes]).ending(".csv.gz", end).write(&folder.input());
        let error = build(&folder, &delivered).run().error();
        assert!(error.contains(&format!("{end}: {cause}")), "{error}");
    }
}

/// A build with so little memory that more than a mebibyte is streamed, and more than five unpacked too.
fn in_little_memory(folder: &Folder, delivered: &Delivered) -> Cli {
    let build = s3inv(["build", "--workers", "1", "--mem-budget", "16MiB"]);
    let build = build.arg("--s3-manifest", &delivered.manifest).arg("--temp-dir", folder.temp());
    build.arg("--out", folder.index())
}

/// Rows of some nine and seven mebibytes: one half hardly compresses, the other does.
fn many() -> [Vec<Row>; 2] {
    let even = (0..60_000).map(|nth| Row::new(format!("even/{}/{}", nth % 10, "k".repeat(40)), nth));
    [single_objects(90_000).collect(), even.collect()]
}

#[test]
fn large_files_are_streamed() {
    let [hard, easy] = many().map(|rows| csv_text(rows, CURRENT));
    let plain = [hard.as_slice(), &easy].concat();
    let (hard, easy) = (gzip(&hard), gzip(&easy));
    assert!(plain.len() > 8 << 20 && hard.len() > 1 << 20 && easy.len() < 1 << 20, "{}", hard.len());
    let whole = gzip(&plain);
    let members: Vec<u8> = plain.chunks(999_999).flat_map(gzip).collect();
    let crlf = String::from_utf8(plain.clone()).unwrap().replace('\n', "\r\n").into_bytes();
    let as_csv = |bytes| Delivery::csv_files(CURRENT, vec![bytes]).ending(".csv.gz", ".csv");
    let as_any = |bytes| Delivery::csv_files(CURRENT, vec![bytes]).ending(".csv.gz", "");
    let as_gz = |files| Delivery::csv_files(CURRENT, files);
    let folder = folder();
    // In one piece.
    let delivered = as_gz(vec![whole.clone()]).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let expected = pages(&folder.index());
    let bytes = 90 * (999 * 1000 / 2) + 30_000_u64 * 59_999;
    let root = query(&folder.index(), "").run();
    assert_eq!(told(&root), format!("Prefix: \nObjects: 150000\nBytes: {bytes}\n"));
    for (what, delivery) in [
        ("gzip", as_gz(vec![hard, easy])),
        ("one gzip", as_gz(vec![whole])),
        ("members", as_gz(vec![members.clone()])),
        ("members, nameless", as_any(members)),
        ("plain", as_csv(plain.clone())),
        ("plain, nameless", as_any(plain.clone())),
        ("no newline at the end", as_csv(plain.trim_ascii_end().to_vec())),
        ("CRLF", as_csv(crlf)),
    ] {
        let delivered = delivery.write(&folder.input());
        assert_eq!(in_little_memory(&folder, &delivered).run().summary()["rows"], 150_000, "{what}");
        assert!(pages(&folder.index()) == expected, "{what}");
    }
}

/// The row that is wrong is named, however the file is read.
#[test]
fn a_bad_row_in_a_large_file_is_named() {
    let mut text = csv_text(many().concat(), CURRENT);
    text.extend_from_slice(b"\"b\",\"k\"\n");
    let folder = folder();
    for delivery in [
        Delivery::csv_files(CURRENT, vec![gzip(&text)]),
        Delivery::csv_files(CURRENT, vec![text]).ending(".csv.gz", ".csv"),
    ] {
        let key = delivery.files[0].key.clone();
        let delivered = delivery.write(&folder.input());
        for build in [in_little_memory(&folder, &delivered), build(&folder, &delivered)] {
            let error = build.run().error();
            assert!(error.ends_with(&format!("{key}: row 150001: 2 fields, expected 7")), "{error}");
        }
    }
    folder.assert_left(&[]);
}
