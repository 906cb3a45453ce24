use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::mutate;

fn valid() -> Value {
    json!({
        "sourceBucket": "nix-cache",
        "destinationBucket": "arn:aws:s3:::nix-cache-inventory",
        "version": "2016-11-30",
        "creationTimestamp": "1747098000000",
        "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { … }",
        "files": [
            {"key": "a/data/1.parquet", "size": 236_045_595_u64, "MD5checksum": "b71ad288b57ddcb1de6fe1eead620220"},
            {"key": "a/data/2.parquet", "size": 1, "MD5checksum": "B71AD288B57DDCB1DE6FE1EEAD620220", "new": true},
        ],
    })
}

fn parse(json: &Value) -> Result<Manifest, String> {
    Manifest::parse(json.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// The error when the value at `pointer` is another one.
fn error(pointer: &str, value: Value) -> String {
    let mut json = valid();
    *json.pointer_mut(pointer).unwrap() = value;
    parse(&json).unwrap_err()
}

#[test]
fn a_manifest_is_read() {
    let manifest = parse(&valid()).unwrap();
    assert_eq!(manifest.source_bucket, "nix-cache");
    assert_eq!(manifest.destination_bucket, "nix-cache-inventory");
    assert_eq!(manifest.snapshot_ms, 1_747_098_000_000);
    assert_eq!(manifest.format, Format::Parquet);
    assert_eq!(manifest.files.len(), 2);
    assert_eq!(manifest.files[0].key, "a/data/1.parquet");
    assert_eq!(manifest.files[0].size, 236_045_595);
    assert_eq!(manifest.files[0].md5[..2], [0xb7, 0x1a]);
    assert_eq!(manifest.files[0].md5, manifest.files[1].md5);
}

#[test]
fn other_spellings_are_read() {
    let mut json = valid();
    json["creationTimestamp"] = json!(1_747_098_000_000_u64);
    assert_eq!(parse(&json).unwrap().snapshot_ms, 1_747_098_000_000);
    for (text, format) in [
        ("csv", Format::Csv),
        ("CSV", Format::Csv),
        ("orc", Format::Orc),
        ("ORC", Format::Orc),
        ("PARQUET", Format::Parquet),
    ] {
        json["fileFormat"] = json!(text);
        assert_eq!(parse(&json).unwrap().format, format, "{text}");
    }
    for arn in [
        "arn:aws:s3:::my.bucket-1",
        "arn:aws-cn:s3:::my.bucket-1",
        "arn:aws-us-gov:s3:::my.bucket-1",
        "my.bucket-1",
    ] {
        json["destinationBucket"] = json!(arn);
        assert_eq!(parse(&json).unwrap().destination_bucket, "my.bucket-1");
    }
}

/// A manifest without `fileFormat` that has these files.
fn without_format(keys: &[&str]) -> Value {
    let file = |key: &&str| json!({"key": key, "size": 1, "MD5checksum": "b71ad288b57ddcb1de6fe1eead620220"});
    let mut json = valid();
    json["files"] = keys.iter().map(file).collect();
    json.as_object_mut().unwrap().remove("fileFormat");
    json
}

#[test]
fn a_missing_format_is_told_by_the_files() {
    for (keys, format) in [
        (&["a.csv", "b.csv.gz", "c.gz", "d.CSV.GZ"][..], Format::Csv),
        (&["a.orc", "b.ORC"], Format::Orc),
        (&["a.parquet", "b.snappy.parquet"], Format::Parquet),
        (&[], Format::Csv),
    ] {
        let mut json = without_format(keys);
        assert_eq!(parse(&json).unwrap().format, format, "{keys:?}");
        for empty in [json!(null), json!("")] {
            json["fileFormat"] = empty;
            assert_eq!(parse(&json).unwrap().format, format, "{keys:?}");
        }
    }
    let error = |keys: &[&str]| parse(&without_format(keys)).unwrap_err();
    assert_eq!(
        error(&["a.txt", "b.csv"]),
        "manifest: fileFormat is missing, and files[0].key \"a.txt\" doesn't tell it: set it to CSV, ORC or Parquet"
    );
    assert_eq!(
        error(&["csv"]),
        "manifest: fileFormat is missing, and files[0].key \"csv\" doesn't tell it: set it to CSV, ORC or Parquet"
    );
    for (odd, quoted) in [("c.orc", "\"c.orc\""), ("c", "\"c\"")] {
        assert_eq!(
            error(&["a.csv", "b.gz", odd]),
            format!(
                "manifest: fileFormat is missing, and files[2].key {quoted} doesn't end as those before, which are CSV: set it to CSV, ORC or Parquet"
            )
        );
    }
}

#[test]
fn only_csv_needs_a_schema() {
    for empty in [json!(null), json!("")] {
        let mut json = valid();
        json["fileSchema"] = empty.clone();
        assert_eq!(parse(&json).unwrap().file_schema, None);
        json["fileFormat"] = json!("ORC");
        assert_eq!(parse(&json).unwrap().file_schema, None);
        json["fileFormat"] = json!("CSV");
        let problem = if empty.is_null() { "missing" } else { "empty" };
        assert_eq!(parse(&json).unwrap_err(), format!("manifest: fileSchema is {problem}"));
        json["files"] = json!([]);
        assert_eq!(parse(&json).unwrap().file_schema, None);
    }
    assert_eq!(parse(&valid()).unwrap().file_schema.unwrap(), "message s3.inventory { … }");
}

#[test]
fn errors_name_the_field() {
    for (pointer, value, message) in [
        ("/sourceBucket", json!(null), "manifest: sourceBucket is missing"),
        ("/sourceBucket", json!(7), "manifest: sourceBucket isn't a text"),
        ("/fileSchema", json!(7), "manifest: fileSchema isn't a text"),
        ("/fileFormat", json!(7), "manifest: fileFormat isn't a text"),
        (
            "/destinationBucket",
            json!("arn:aws:sqs:::q"),
            "manifest: destinationBucket \"arn:aws:sqs:::q\" is neither a bucket nor its ARN",
        ),
        (
            "/destinationBucket",
            json!("a/b"),
            "manifest: destinationBucket \"a/b\" is neither a bucket nor its ARN",
        ),
        ("/creationTimestamp", json!("soon"), "manifest: creationTimestamp \"soon\" isn't a whole number"),
        ("/creationTimestamp", json!("+1"), "manifest: creationTimestamp \"+1\" isn't a whole number"),
        ("/creationTimestamp", json!([1]), "manifest: creationTimestamp […] isn't a whole number"),
        ("/fileFormat", json!("JSON"), "manifest: fileFormat \"JSON\" is none of CSV, ORC and Parquet"),
        ("/files", json!("x"), "manifest: files isn't a list"),
        ("/files/1", json!("x"), "manifest: files[1].key is missing"),
        (
            "/files/1/key",
            json!("a/data/1.parquet"),
            "manifest: files[1].key \"a/data/1.parquet\" is in the list twice",
        ),
        ("/files/1/size", json!(-1), "manifest: files[1].size -1 isn't a whole number"),
        ("/files/1/size", json!(1.5), "manifest: files[1].size 1.5 isn't a whole number"),
        (
            "/files/0/MD5checksum",
            json!("b71a"),
            "manifest: files[0].MD5checksum \"b71a\" isn't 32 hexadecimal digits",
        ),
    ] {
        assert_eq!(error(pointer, value), message);
    }
    assert_eq!(parse(&json!([])).unwrap_err(), "manifest: files is missing");
    let syntax = Manifest::parse(b"{\n  \"sourceBucket\": }").unwrap_err().to_string();
    assert_eq!(syntax, "manifest isn't JSON: expected value at line 2 column 19");
}

#[test]
fn checksums() {
    assert_eq!(checksum_name("a/b/manifest.json"), "a/b/manifest.checksum");
    let sum = "5d41402abc4b2a76b9719d911017c592";
    for text in [sum.to_owned(), format!("{sum}\n"), format!(" {}\r\n", sum.to_uppercase())] {
        verify_checksum(b"hello", text.as_bytes()).unwrap();
    }
    let error = verify_checksum(b"hallo", sum.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("manifest's MD5 is 598d4c200461b81522a3328565c25f7c, but manifest.checksum says {sum}")
    );
    for bad in ["", "5d41", "+d41402abc4b2a76b9719d911017c592", "5d41402abc4b2a76b9719d911017c5920"] {
        let error = verify_checksum(b"hello", bad.as_bytes()).unwrap_err();
        assert!(matches!(error, ManifestError::NoChecksum(_)), "{error}");
    }
}

proptest! {
    #[test]
    fn no_mutation_panics(at in any::<usize>(), to in any::<u8>(), cut in any::<bool>()) {
        let bytes = mutate(valid().to_string().as_bytes(), at, to, cut);
        if let Err(error) = Manifest::parse(&bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Manifest::parse(&bytes);
        let _ = verify_checksum(&bytes, &bytes);
    }
}
