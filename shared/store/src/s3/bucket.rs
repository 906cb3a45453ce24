//! Listings, removal, and uploads of others.

use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, EncodingType, Error, ObjectIdentifier};

use super::open::abort;
use super::refused::{Doing, refused, reported};
use super::upload::S3Upload;
use super::{S3Store, Store};
use crate::{Bucket, Listed, Page, StoreError, StoreErrorKind, Suspended, Upload, percent};

/// How many keys `DeleteObjects` takes.
const DELETED_AT_ONCE: usize = 1000;

#[async_trait]
impl Bucket for S3Store {
    /// One `ListObjectsV2`.
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let request = request
            // Keys may hold characters that XML can't.
            .encoding_type(EncodingType::Url)
            .set_continuation_token(next.map(str::to_owned))
            .set_delimiter(folders.then(|| "/".to_owned()));
        let uri = self.uri(prefix);
        page(&uri, &request.send().await.map_err(|e| refused(&uri, &e, Doing::Other))?)
    }

    /// `DeleteObjects` for 1,000 keys at a time; `DeleteObject` for one with characters that XML
    /// can't hold.
    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut kept = Kept::default();
        for keys in keys.chunks(DELETED_AT_ONCE) {
            let (plain, odd): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.chars().all(is_xml));
            for key in odd {
                self.delete_one(key).await?;
            }
            if !plain.is_empty() {
                kept.add(self, &self.delete_many(plain).await?);
            }
        }
        kept.into_result()
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(S3Upload::begin(self.clone(), key).await?))
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        Box::new(S3Upload::resume(self.clone(), key, suspended))
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let (mut uploads, mut next) = (Vec::new(), Some((None, None)));
        while let Some((key, id)) = next {
            let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
            let request =
                request.encoding_type(EncodingType::Url).set_key_marker(key).set_upload_id_marker(id);
            let uri = self.uri(prefix);
            let output = request.send().await.map_err(|e| refused(&uri, &e, Doing::Other))?;
            next = add_uploads(&mut uploads, &uri, &output)?;
        }
        uploads.sort();
        Ok(uploads)
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        abort(self, key, id).await
    }

    /// One `GetBucketVersioning`. Object Lock implies versioning.
    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        let error = match self.client.get_bucket_versioning().bucket(&self.bucket).send().await {
            Ok(output) => return Ok(output.status.is_some()),
            Err(error) => refused(&self.uri(""), &error, Doing::Other),
        };
        Err(match error.kind() {
            StoreErrorKind::Denied => error.adding(&format!(
                ": to see whether the bucket keeps versions, allow s3:GetBucketVersioning on arn:aws:s3:::{}",
                self.bucket
            )),
            _ => error,
        })
    }
}

impl S3Store {
    async fn delete_one(&self, key: &str) -> Result<(), StoreError> {
        let answer = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        answer.map(drop).map_err(|e| refused(&self.uri(key), &e, Doing::Other))
    }

    /// Those that can't be removed, and why. Keys that S3 was too busy to remove are asked for again,
    /// which the SDK doesn't do: it has been answered.
    async fn delete_many(&self, mut keys: Vec<&String>) -> Result<Vec<Error>, StoreError> {
        let (mut kept, mut again) = (Vec::new(), self.retrying.again());
        loop {
            let errors = self.delete_once(&keys).await?;
            let (busy, refused): (Vec<_>, Vec<_>) = errors.into_iter().partition(is_busy);
            kept.extend(refused);
            let left: HashSet<_> = busy.iter().filter_map(Error::key).collect();
            keys.retain(|key| left.contains(key.as_str()));
            if keys.is_empty() || !again.pause(busy.iter().any(is_throttled)).await {
                kept.extend(busy);
                return Ok(kept);
            }
        }
    }

    async fn delete_once(&self, keys: &[&String]) -> Result<Vec<Error>, StoreError> {
        let uri = keys.first().map_or_else(String::new, |key| self.uri(key));
        let unmade = |e: aws_sdk_s3::error::BuildError| StoreError::other(&uri, &e.to_string());
        let key = |key| ObjectIdentifier::builder().key(key).build().map_err(unmade);
        let keys: Vec<_> = keys.iter().map(|&name| key(name)).collect::<Result<_, _>>()?;
        // Quiet: only of what could not be removed do we want to hear.
        let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build().map_err(unmade)?;
        let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
        Ok(answer.map_err(|e| refused(&uri, &e, Doing::Other))?.errors.unwrap_or_default())
    }
}

fn is_busy(error: &Error) -> bool {
    reported(error.code(), error.message()).0 == StoreErrorKind::Retryable
}

fn is_throttled(error: &Error) -> bool {
    matches!(error.code(), Some("SlowDown" | "ServiceUnavailable"))
}

/// What could not be removed: how many, and why the first.
#[derive(Default)]
struct Kept {
    first: Option<(String, StoreErrorKind, String)>,
    others: usize,
}

impl Kept {
    fn add(&mut self, store: &S3Store, errors: &[Error]) {
        for error in errors {
            // Somebody else's removal came first.
            if error.code() == Some("NoSuchKey") {
                continue;
            }
            if self.first.is_some() {
                self.others += 1;
            } else {
                let (kind, text) = reported(error.code(), error.message());
                self.first = Some((store.uri(error.key().unwrap_or_default()), kind, text));
            }
        }
    }

    fn into_result(self) -> Result<(), StoreError> {
        let Some((uri, kind, text)) = self.first else { return Ok(()) };
        let others = match self.others {
            0 => String::new(),
            others => format!(" (nor were {others} others)"),
        };
        Err(StoreError::new(&uri, kind, &format!("not deleted{others}: {text}")))
    }
}

fn page(uri: &str, output: &ListObjectsV2Output) -> Result<Page, StoreError> {
    let name = |name| decoded(uri, name, output.encoding_type());
    let mut page = Page::default();
    for object in output.contents() {
        let size = object.size().and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| StoreError::other(uri, "listed an object without a size"))?;
        page.objects.push(Listed { key: name(object.key())?, size });
    }
    for folder in output.common_prefixes() {
        page.folders.push(name(folder.prefix())?);
    }
    if output.is_truncated() == Some(true) {
        let next = output.next_continuation_token().ok_or_else(|| cut_short(uri))?;
        page.next = Some(next.to_owned());
    }
    Ok(page)
}

/// The key and the upload after which the next page starts.
type Markers = (Option<String>, Option<String>);

/// Adds a page, and says where the next one starts, if there is one.
fn add_uploads(
    uploads: &mut Vec<(String, String)>,
    uri: &str,
    output: &ListMultipartUploadsOutput,
) -> Result<Option<Markers>, StoreError> {
    let name = |name| decoded(uri, name, output.encoding_type());
    for upload in output.uploads() {
        let id =
            upload.upload_id().ok_or_else(|| StoreError::other(uri, "listed an upload without an id"))?;
        uploads.push((name(upload.key())?, id.to_owned()));
    }
    if output.is_truncated() != Some(true) {
        return Ok(None);
    }
    let key = output.next_key_marker().filter(|key| !key.is_empty()).ok_or_else(|| cut_short(uri))?;
    Ok(Some((Some(name(Some(key))?), output.next_upload_id_marker().map(str::to_owned))))
}

fn cut_short(uri: &str) -> StoreError {
    StoreError::other(uri, "a listing that goes on, but does not say where")
}

/// A name in an answer, which is encoded as a form is (a space is `+`) if the answer says so.
fn decoded(uri: &str, name: Option<&str>, encoding: Option<&EncodingType>) -> Result<String, StoreError> {
    let name = name.ok_or_else(|| StoreError::other(uri, "listed something without a name"))?;
    if encoding != Some(&EncodingType::Url) {
        return Ok(name.to_owned());
    }
    let decoded = percent::decoded(&name.replace('+', " ")).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| StoreError::other(uri, &format!("listed a name that does not decode: {name:?}")))
}

/// Whether XML 1.0 has this character (section 2.2).
fn is_xml(c: char) -> bool {
    !matches!(c, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}')
}
