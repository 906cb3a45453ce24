//! Documents: short JSON. Those in the scratch carry a checksum of their own, since numbers that count are
//! among what they say, and S3 sends none with a range.

use bytes::Bytes;
use s3inv_store::{Bucket, StoreError, StoreErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::Cause;

/// Documents longer than this are not believed.
pub(super) const LONGEST: u64 = 256 << 20;

/// A document in the scratch.
#[derive(Serialize, Deserialize)]
struct Checked<'a> {
    /// XXH3-64 of the bytes of the next, in hexadecimal digits.
    xxh3: String,
    #[serde(borrow)]
    document: &'a RawValue,
}

fn checksum(document: &RawValue) -> String {
    format!("{:016x}", xxh3_64(document.get().as_bytes()))
}

/// A document's bytes, for readers that know nothing of checksums.
pub(super) fn json(document: &impl Serialize) -> Result<Bytes, Cause> {
    let bytes = serde_json::to_vec(document).map_err(std::io::Error::from)?;
    Ok(bytes.into())
}

/// The bytes of a document in the scratch.
pub(super) fn checked(document: &impl Serialize) -> Result<Bytes, Cause> {
    let document = serde_json::value::to_raw_value(document).map_err(std::io::Error::from)?;
    json(&Checked { xxh3: checksum(&document), document: &document })
}

/// What a document in the scratch says, if it is the one that was written.
pub(super) fn parse<T: DeserializeOwned>(uri: &str, bytes: &[u8]) -> Result<T, Cause> {
    let whole = serde_json::from_slice::<Checked<'_>>(bytes).ok();
    let Some(whole) = whole.filter(|whole| whole.xxh3 == checksum(whole.document)) else {
        return Err(StoreError::new(uri, StoreErrorKind::Retryable, "its checksum doesn't match").into());
    };
    let parsed = serde_json::from_str(whole.document.get());
    parsed.map_err(|error| Cause::Document { uri: uri.to_owned(), error })
}

/// A document's bytes, if it is there.
pub(super) async fn read(bucket: &dyn Bucket, key: &str) -> Result<Option<Bytes>, StoreError> {
    read_up_to(bucket, key, LONGEST).await
}

async fn read_up_to(bucket: &dyn Bucket, key: &str, longest: u64) -> Result<Option<Bytes>, StoreError> {
    match bucket.read_tail(key, longest).await {
        Ok((_, meta)) if meta.size > longest => {
            let text = format!("a document of {} bytes: more than {longest} are not believed", meta.size);
            Err(StoreError::new(&bucket.uri(key), StoreErrorKind::Invalid, &text))
        }
        Ok((bytes, _)) => Ok(Some(bytes)),
        Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A document in the scratch, if it is there.
pub(super) async fn find<T: DeserializeOwned>(bucket: &dyn Bucket, key: &str) -> Result<Option<T>, Cause> {
    let found = read(bucket, key).await?;
    found.map(|bytes| parse(&bucket.uri(key), &bytes)).transpose()
}

#[cfg(test)]
mod tests {
    use s3inv_store::MemoryStore;
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::ErrorType;
    use crate::fleet::StepError;

    #[test]
    fn a_document_with_any_other_byte_is_read_again() {
        let document = json!({ "rows": 1234, "of": ["a", "b"] });
        let bytes = checked(&document).unwrap();
        assert_eq!(parse::<Value>("plan", &bytes).unwrap(), document);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut wrong = bytes.to_vec();
                wrong[at] ^= 1 << bit;
                let Err(cause) = parse::<Value>("plan", &wrong) else { panic!("byte {at}, bit {bit}") };
                assert_eq!(StepError::of_cause(&cause).error_type, ErrorType::Retryable, "{cause}");
            }
            assert!(parse::<Value>("plan", &bytes[..at]).is_err());
        }
    }

    #[tokio::test]
    async fn one_that_is_too_long_is_refused_by_its_size() {
        let store = MemoryStore::new();
        store.put("latest.json", &b"[1, 2]"[..]);
        assert_eq!(read_up_to(&store, "latest.json", 6).await.unwrap().unwrap(), "[1, 2]");
        let error = read_up_to(&store, "latest.json", 5).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "memory:latest.json: a document of 6 bytes: more than 5 are not believed"
        );
        assert_eq!(StepError::of_store(&error).error_type, ErrorType::BadInput);
    }

    #[test]
    fn one_of_another_program_is_named() {
        let bytes = checked(&json!({ "rows": "many" })).unwrap();
        let error = parse::<Vec<u32>>("s3://scratch/run/plan.json", &bytes).unwrap_err();
        assert!(error.to_string().starts_with("s3://scratch/run/plan.json: invalid type: map"), "{error}");
    }
}
