//! What kind of thing an object is, for who opens it in a browser.

/// The media type that the end of a key stands for; S3 says `binary/octet-stream` of what has none, and browsers
/// save it instead of showing it.
pub(super) fn media_type(key: &str) -> Option<&'static str> {
    let (_, ending) = key.rsplit_once('.')?;
    match ending {
        "html" => Some("text/html; charset=utf-8"),
        "csv" => Some("text/csv; charset=utf-8"),
        "json" => Some("application/json"),
        _ => None,
    }
}
