use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::{Only, StoreError, StoreErrorKind};

/// What was being done, for the kind and the words that fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing<'a> {
    Reading,
    /// Making an object appear.
    Completing(Only<'a>),
    Other,
}

/// An error of the SDK, in our words.
pub(super) fn refused<E>(uri: &str, error: &SdkError<E, HttpResponse>, doing: Doing<'_>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(response) = error.raw_response() else { return unanswered(uri, error) };
    let (status, code) = (response.status().as_u16(), error.code());
    if let Some(text) = wrong_region(status, code, response.headers().get("x-amz-bucket-region")) {
        return StoreError::invalid(uri, &text);
    }
    let kind = kind(status, code, doing);
    let said = said(status, code, error.message());
    let text = match (kind, doing) {
        (StoreErrorKind::NotFound, _) if code == Some("NoSuchBucket") => {
            "the bucket does not exist".to_owned()
        }
        (StoreErrorKind::NotFound, Doing::Reading) => return StoreError::not_found(uri),
        (StoreErrorKind::Changed, _) => return StoreError::changed(uri),
        (StoreErrorKind::UploadGone, _) => return StoreError::upload_gone(uri),
        (StoreErrorKind::Precondition, Doing::Completing(only)) => {
            return StoreError::precondition(uri, only);
        }
        (StoreErrorKind::Range, _) => "the range asked for lies beyond its end".to_owned(),
        (StoreErrorKind::Denied, _) => format!("access denied ({said}{})", hint(doing, code)),
        _ => said,
    };
    StoreError::new(uri, kind, &text)
}

/// An error about one object, within an answer about many.
pub(super) fn reported(code: Option<&str>, message: Option<&str>) -> (StoreErrorKind, String) {
    match (kind(200, code, Doing::Other), said(200, code, message)) {
        (StoreErrorKind::Denied, said) => (StoreErrorKind::Denied, format!("access denied ({said})")),
        reported => reported,
    }
}

/// An error of a copy from the object `from` to that at `uri`, whichever of the two it is about.
pub(super) fn refused_copy<E>(uri: &str, from: &str, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let beyond = error.message().is_some_and(|text| text.starts_with("Range specified is not valid"));
    if error.code() == Some("InvalidArgument") && beyond {
        return StoreError::new(from, StoreErrorKind::Range, "the range to copy lies beyond its end");
    }
    let refused = refused(from, error, Doing::Reading);
    match refused.kind() {
        StoreErrorKind::UploadGone => StoreError::upload_gone(uri),
        StoreErrorKind::NotFound | StoreErrorKind::Changed | StoreErrorKind::Range => refused,
        kind => StoreError::new(uri, kind, &format!("copying {refused}")),
    }
}

/// Codes come first: an error may be found out after the status is sent, or about one of many.
fn kind(status: u16, code: Option<&str>, doing: Doing<'_>) -> StoreErrorKind {
    match (status, code) {
        (_, Some("NoSuchUpload")) => StoreErrorKind::UploadGone,
        (412, _) | (_, Some("PreconditionFailed")) => match doing {
            Doing::Completing(_) => StoreErrorKind::Precondition,
            _ => StoreErrorKind::Changed,
        },
        // If-Match, and nothing is there.
        (_, Some("NoSuchKey")) if matches!(doing, Doing::Completing(Only::IfMatch(_))) => {
            StoreErrorKind::Precondition
        }
        // InvalidPart: somebody who went on with the same upload has written that part again.
        (
            _,
            Some(
                "SlowDown"
                | "ServiceUnavailable"
                | "RequestTimeout"
                | "InternalError"
                | "ConditionalRequestConflict"
                | "InvalidPart",
            ),
        )
        | (409 | 429 | 500 | 502.., _) => StoreErrorKind::Retryable,
        (401 | 403, _)
        | (_, Some("AccessDenied" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired")) => {
            StoreErrorKind::Denied
        }
        (404, _) => StoreErrorKind::NotFound,
        (416, _) => StoreErrorKind::Range,
        (408 | 425, _) => StoreErrorKind::Retryable,
        (_, Some(code)) if may_pass(code) => StoreErrorKind::Retryable,
        // The same request would be refused again: a wrong argument, a key of KMS that is disabled.
        (400..=499, _) => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Other,
    }
}

/// Refusals with status 400 that say nothing of the request: its bytes were changed or lost on their way, or too
/// many requests reach KMS.
fn may_pass(code: &str) -> bool {
    let on_its_way =
        ["BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"];
    on_its_way.contains(&code) || code.contains("Throttl")
}

/// The service's code and message. An answer to HEAD has neither.
fn said(status: u16, code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => code.to_owned(),
        (None, _) => format!("HTTP status {status}"),
    }
}

/// S3 hides which keys exist from those who may not list them.
fn hint(doing: Doing<'_>, code: Option<&str>) -> &'static str {
    match (doing, code) {
        (Doing::Reading, None | Some("AccessDenied" | "Forbidden")) => {
            "; without s3:ListBucket, S3 says so of keys that do not exist, too"
        }
        _ => "",
    }
}

/// S3 answers 301 to a request for a bucket of another region, or 400 for its signature.
fn wrong_region(status: u16, code: Option<&str>, region: Option<&str>) -> Option<String> {
    let elsewhere = status == 301 || status == 307 || code == Some("AuthorizationHeaderMalformed");
    elsewhere.then(|| match region {
        Some(region) => format!("the bucket is in region {region}: set AWS_REGION={region}"),
        None => "the bucket is in another region: set AWS_REGION to it".to_owned(),
    })
}

/// No answer came, or none was asked for.
fn unanswered<E: Error + 'static>(uri: &str, error: &SdkError<E, HttpResponse>) -> StoreError {
    let cause = innermost(error);
    match error {
        SdkError::ConstructionFailure(_) => StoreError::other(uri, &format!("no request made: {cause}")),
        // Other failures of a kind are those of connections, as one that S3 closed meanwhile.
        SdkError::DispatchFailure(failure)
            if failure.is_user()
                || failure.is_other()
                    && failure.as_connector_error().is_none_or(|error| error.as_other().is_none()) =>
        {
            // The chain lists every source that it tried, one a line.
            let cause = cause.lines().next().unwrap_or_default().trim_end_matches(". Attempted:");
            let text = format!("no request sent: {cause}; are there credentials for AWS?");
            StoreError::new(uri, StoreErrorKind::Denied, &text)
        }
        _ => StoreError::new(uri, StoreErrorKind::Retryable, &format!("no answer: {cause}")),
    }
}

/// The words of the error that caused the others.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    fn text(status: u16, code: Option<&str>, region: Option<&'static str>, doing: Doing<'_>) -> String {
        let mut meta = ErrorMetadata::builder().message("Because.");
        if let Some(code) = code {
            meta = meta.code(code);
        }
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        if let Some(region) = region {
            response.headers_mut().insert("x-amz-bucket-region", region);
        }
        let error = SdkError::service_error(GetObjectError::generic(meta.build()), response);
        let error = refused("s3://b/k", &error, doing);
        format!("{:?} {error}", error.kind())
    }

    #[test]
    fn answers_are_put_in_words() {
        use Doing::{Completing, Other, Reading};
        let replacing = Completing(Only::IfMatch("e"));
        let gone = "not written: its upload is gone, aborted by somebody else";
        let hint = "; without s3:ListBucket, S3 says so of keys that do not exist, too";
        for (status, code, doing, expected) in [
            (404, Some("NoSuchKey"), Reading, "NotFound s3://b/k: not found"),
            (404, Some("NoSuchBucket"), Other, "NotFound s3://b/k: the bucket does not exist"),
            (404, Some("NoSuchUpload"), Other, &format!("UploadGone s3://b/k: {gone}")),
            (404, Some("NoSuchUpload"), replacing, &format!("UploadGone s3://b/k: {gone}")),
            (403, Some("AccessDenied"), Other, "Denied s3://b/k: access denied (AccessDenied: Because)"),
            (403, None, Reading, &format!("Denied s3://b/k: access denied (HTTP status 403{hint})")),
            (400, Some("ExpiredToken"), Reading, "Denied s3://b/k: access denied (ExpiredToken: Because)"),
            (412, Some("PreconditionFailed"), Reading, "Changed s3://b/k: changed since its size was read"),
            (
                412,
                Some("PreconditionFailed"),
                Completing(Only::IfAbsent),
                "Precondition s3://b/k: not written: an object is there already",
            ),
            (
                404,
                Some("NoSuchKey"),
                replacing,
                "Precondition s3://b/k: not written: what is there is no longer the object to replace",
            ),
            (409, Some("Conflict"), replacing, "Retryable s3://b/k: Conflict: Because"),
            (200, Some("AccessDenied"), Other, "Denied s3://b/k: access denied (AccessDenied: Because)"),
            (416, Some("InvalidRange"), Reading, "Range s3://b/k: the range asked for lies beyond its end"),
            (503, Some("SlowDown"), Reading, "Retryable s3://b/k: SlowDown: Because"),
            (400, Some("InvalidArgument"), Other, "Invalid s3://b/k: InvalidArgument: Because"),
            (400, Some("KMS.DisabledException"), Reading, "Invalid s3://b/k: KMS.DisabledException: Because"),
            (405, Some("MethodNotAllowed"), Other, "Invalid s3://b/k: MethodNotAllowed: Because"),
            (400, Some("BadDigest"), Other, "Retryable s3://b/k: BadDigest: Because"),
            (400, Some("ThrottlingException"), Other, "Retryable s3://b/k: ThrottlingException: Because"),
            (400, Some("RequestTimeout"), Other, "Retryable s3://b/k: RequestTimeout: Because"),
            (408, None, Other, "Retryable s3://b/k: HTTP status 408"),
            (425, None, Other, "Retryable s3://b/k: HTTP status 425"),
            (429, None, Other, "Retryable s3://b/k: HTTP status 429"),
            (501, Some("NotImplemented"), Other, "Other s3://b/k: NotImplemented: Because"),
        ] {
            assert_eq!(text(status, code, None, doing), expected);
        }
    }

    #[test]
    fn a_bucket_elsewhere_is_named_with_its_region() {
        assert_eq!(
            text(301, Some("PermanentRedirect"), Some("eu-west-1"), Doing::Reading),
            "Invalid s3://b/k: the bucket is in region eu-west-1: set AWS_REGION=eu-west-1"
        );
        assert_eq!(
            text(301, None, None, Doing::Reading),
            "Invalid s3://b/k: the bucket is in another region: set AWS_REGION to it"
        );
    }
}
