//! Conditional writes, uploads that vanish, and copies.

use super::*;

const STARTED: &str = "<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>";
const MIB: usize = 1 << 20;

fn error(status: &str, code: &str) -> String {
    says(status, &format!("<Error><Code>{code}</Code><Message>Because.</Message></Error>"))
}

fn failed() -> String {
    error("412 Precondition Failed", "PreconditionFailed")
}

/// What writing `len` bytes comes to, and the requests that it takes.
async fn write(answers: Vec<String>, len: usize, only: Only<'_>) -> (String, Vec<String>) {
    let (store, given) = server(answers).await;
    let said = match crate::put(&store, "k", vec![1; len], only).await {
        Ok(()) => String::new(),
        Err(error) => format!("{:?} {error}", error.kind()),
    };
    store.settle().await;
    (said, given.await.unwrap())
}

#[tokio::test]
async fn conditions_are_asked_for_and_their_refusal_is_named() {
    let absent = "Precondition s3://bucket/k: not written: an object is there already";
    let (said, requests) = write(vec![failed()], 1, Only::IfAbsent).await;
    assert_eq!(said, absent);
    assert!(requests[0].contains("\r\nif-none-match: *\r\n") && !requests[0].contains("\r\nif-match"));

    let another = "Precondition s3://bucket/k: not written: what is there is no longer the object to replace";
    for answer in [failed(), error("404 Not Found", "NoSuchKey")] {
        let (said, requests) = write(vec![answer], 1, Only::IfMatch("\"e\"")).await;
        assert_eq!(said, another);
        assert!(
            requests[0].contains("\r\nif-match: \"e\"\r\n") && !requests[0].contains("\r\nif-none-match")
        );
    }
    let (said, requests) = write(vec![says("200 OK", "")], 1, Only::Always).await;
    assert!(said.is_empty() && !requests[0].contains("\r\nif-"));
}

#[tokio::test]
async fn a_refused_completion_is_aborted() {
    for (only, header, text) in [
        (Only::IfAbsent, "if-none-match: *", "an object is there already"),
        (Only::IfMatch("\"e\""), "if-match: \"e\"", "what is there is no longer the object to replace"),
    ] {
        for refusal in [failed(), error("200 OK", "PreconditionFailed")] {
            let [first, second] = [says("200 OK", ""), says("200 OK", "")];
            let answers = vec![says("200 OK", STARTED), first, second, refusal, says("204 No Content", "")];
            let (said, requests) = write(answers, 9 * MIB, only).await;
            assert_eq!(said, format!("Precondition s3://bucket/k: not written: {text}"));
            assert!(requests[3].starts_with("POST /bucket/k?"), "{}", requests[3]);
            assert!(requests[3].contains(&format!("\r\n{header}\r\n")), "{}", requests[3]);
            assert!(requests[4].starts_with("DELETE /bucket/k?"), "{}", requests[4]);
        }
    }
}

#[tokio::test]
async fn a_conflict_may_be_tried_again() {
    let conflict = || error("409 Conflict", "ConditionalRequestConflict");
    let (said, _) = write(vec![conflict()], 1, Only::IfAbsent).await;
    assert_eq!(said, "Retryable s3://bucket/k: ConditionalRequestConflict: Because");
    let answers = vec![says("200 OK", STARTED), says("200 OK", ""), says("200 OK", ""), conflict()];
    let answers = [answers, vec![says("204 No Content", "")]].concat();
    let (said, _) = write(answers, 9 * MIB, Only::IfAbsent).await;
    assert_eq!(said, "Retryable s3://bucket/k: ConditionalRequestConflict: Because");
}

#[tokio::test]
async fn an_upload_that_somebody_aborted_is_gone() {
    let gone = || error("404 Not Found", "NoSuchUpload");
    let expected = "UploadGone s3://bucket/k: not written: its upload is gone, aborted by somebody else";
    let (started, part) = (|| says("200 OK", STARTED), || says("200 OK", ""));
    let (said, _) = write(vec![started(), gone(), gone()], 9 * MIB, Only::Always).await;
    assert_eq!(said, expected);
    let (said, _) = write(vec![started(), part(), part(), gone(), gone()], 9 * MIB, Only::IfAbsent).await;
    assert_eq!(said, expected);
}

/// What copying 6 MiB of `s3://from/a b` comes to when S3 answers it so, and the request.
async fn copy(answer: String, after: &[&str]) -> (String, String) {
    let answers = vec![says("200 OK", STARTED), answer];
    let after = after.iter().map(|body| says("200 OK", body));
    let (store, given) = server(answers.into_iter().chain(after).collect()).await;
    let mut upload = store.create("k").await.unwrap();
    let said = match upload.copy("s3://from/a b", 10..10 + 6 * MIB as u64, Some("\"e\"")).await {
        Ok(()) => upload.complete(Only::Always).await.map_or_else(|e| e.to_string(), |()| String::new()),
        Err(error) => {
            upload.abort().await.unwrap();
            format!("{:?} {error}", error.kind())
        }
    };
    (said, given.await.unwrap().remove(1))
}

#[tokio::test]
async fn ranges_are_copied_by_s3() {
    let copied = "<CopyPartResult><ETag>\"p\"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></CopyPartResult>";
    let (said, request) = copy(says("200 OK", copied), &["<CompleteMultipartUploadResult/>"]).await;
    assert_eq!(said, "");
    assert!(request.starts_with("PUT /bucket/k?") && request.contains("partNumber=1"), "{request}");
    for header in ["source: from/a%20b", "source-range: bytes=10-6291465", "source-if-match: \"e\""] {
        assert!(request.contains(&format!("\r\nx-amz-copy-{header}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn a_copy_that_fails_says_which_object_is_to_blame() {
    let range = "<Error><Code>InvalidArgument</Code>\
        <Message>Range specified is not valid for source object of size: 9</Message></Error>";
    for (answer, expected) in [
        (failed(), "Changed s3://from/a b: changed since its size was read"),
        (error("404 Not Found", "NoSuchKey"), "NotFound s3://from/a b: not found"),
        (says("400 Bad Request", range), "Range s3://from/a b: the range to copy lies beyond its end"),
        (
            error("404 Not Found", "NoSuchUpload"),
            "UploadGone s3://bucket/k: not written: its upload is gone, aborted by somebody else",
        ),
        (
            error("200 OK", "AccessDenied"),
            "Denied s3://bucket/k: copying s3://from/a b: access denied (AccessDenied: Because; \
             without s3:ListBucket, S3 says so of keys that do not exist, too)",
        ),
        (says("200 OK", "<CopyPartResult/>"), "Other s3://bucket/k: a part copied without an ETag"),
    ] {
        assert_eq!(copy(answer, &[""]).await.0, expected);
    }
}

/// Nothing of what was cut off can be completed.
#[tokio::test]
async fn a_copy_that_was_cut_off_cannot_be_completed() {
    let (store, _given) = server(vec![]).await;
    let mut upload = store.create("k").await.unwrap();
    let copy = upload.copy("s3://from/k", 0..10, None);
    tokio::select! { biased; _ = copy => panic!("copied"), () = std::future::ready(()) => {} }
    let error = upload.write(Bytes::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/k: not written: an earlier write failed or was cut off");
    upload.complete(Only::Always).await.unwrap_err();
}

#[tokio::test]
async fn only_objects_in_s3_are_copied() {
    let (store, _given) = server(vec![]).await;
    let mut upload = store.create("k").await.unwrap();
    for from in ["/a/file", "s3://bucket", "s3://bucket/", "s3:///k"] {
        let error = upload.copy(from, 0..1, None).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{from}: not an object in S3"));
    }
}
