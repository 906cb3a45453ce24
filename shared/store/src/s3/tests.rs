//! Against a server that answers as it is told.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::Only;

mod bucket;
mod fast;
mod retries;
mod writes;

use fast::Fast;

/// Whatever is asked, gives these answers in turn, then refuses connections. Ends when all are
/// given, with the requests: first line, headers in lower case, body.
async fn server(answers: Vec<String>) -> (S3Store, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let given = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            requests.push(request(&mut stream).await);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (S3Store::new(&test_config(&endpoint), "bucket").unwrap(), given)
}

async fn request(stream: &mut TcpStream) -> String {
    let (mut request, mut length, mut said) = (BufReader::new(stream), 0, String::new());
    loop {
        let mut line = String::new();
        request.read_line(&mut line).await.unwrap();
        if let Some((name, value)) = line.split_once(": ").filter(|_| !said.is_empty()) {
            line = format!("{}: {value}", name.to_ascii_lowercase());
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        said.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = Vec::new();
    request.take(length).read_to_end(&mut body).await.unwrap();
    said + &String::from_utf8_lossy(&body)
}

/// Pauses take no time.
fn test_config(endpoint: &str) -> SdkConfig {
    Fast::by(1000).config(endpoint)
}

fn answer(status: &str, headers: &str, length: usize, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nETag: \"e\"\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// An answer that is XML, or nothing.
fn says(status: &str, body: &str) -> String {
    answer(status, "", body.len(), body)
}

fn part(body: &str) -> String {
    answer("206 Partial Content", "Content-Range: bytes 2-4/10\r\n", 3, body)
}

async fn read(answers: Vec<String>) -> String {
    let (store, given) = server(answers).await;
    let said = match store.read("k", 2..5, None).await {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Err(error) => format!("{:?} {error}", error.kind()),
    };
    assert!(given.is_finished() || said.starts_with("Other"), "fewer requests than expected");
    said
}

#[tokio::test]
async fn a_whole_object_is_no_answer_to_a_range() {
    let said = read(vec![answer("200 OK", "", 10, "abcdefghij")]).await;
    assert_eq!(said, "Other s3://bucket/k: asked for bytes 2..5, answered with 0..10 of 10");
    let said = read(vec![answer("206 Partial Content", "Content-Range: bytes 1-3/10\r\n", 3, "bcd")]).await;
    assert_eq!(said, "Other s3://bucket/k: asked for bytes 2..5, answered with 1..4 of 10");
}

#[tokio::test]
async fn s3s_own_words_are_passed_on() {
    let body =
        "<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:Decrypt</Message></Error>";
    let said = read(vec![answer("403 Forbidden", "", body.len(), body)]).await;
    assert_eq!(
        said,
        "Denied s3://bucket/k: access denied (AccessDenied: not authorized to perform: kms:Decrypt; \
         without s3:ListBucket, S3 says so of keys that do not exist, too)"
    );
    let region = "x-amz-bucket-region: eu-west-1\r\n";
    let said = read(vec![answer("301 Moved Permanently", region, 0, "")]).await;
    assert_eq!(said, "Invalid s3://bucket/k: the bucket is in region eu-west-1: set AWS_REGION=eu-west-1");
}

/// Real S3 answers 416 where there is no tail.
#[tokio::test]
async fn the_tail_of_an_empty_object_is_empty() {
    let error = "<Error><Code>InvalidRange</Code></Error>";
    let refused = answer("416 Requested Range Not Satisfiable", "", error.len(), error);
    let (store, _given) = server(vec![refused, answer("200 OK", "", 0, "")]).await;
    let (tail, meta) = store.read_tail("k", 8).await.unwrap();
    assert_eq!((tail, meta), (Bytes::new(), ObjectMeta { size: 0, etag: "\"e\"".to_owned() }));
}

/// S3 may find out that it can't complete an upload after it has answered 200.
#[tokio::test]
async fn an_upload_whose_completion_fails_late_is_an_error_and_is_aborted() {
    let started = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
    let failed = "<Error><Code>AccessDenied</Code><Message>late</Message></Error>";
    let answers = [started, "", "", failed, ""].map(|body| answer("200 OK", "", body.len(), body));
    let (store, given) = server(answers.into()).await;
    let mut upload = store.create("k").await.unwrap();
    upload.write(vec![1; 9 << 20].into()).await.unwrap();
    let error = upload.complete(Only::Always).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/k: access denied (AccessDenied: late)");
    given.await.unwrap();
}

#[tokio::test]
async fn what_is_never_answered_says_why() {
    let store = S3Store::new(&test_config("http://127.0.0.1:9"), "bucket").unwrap();
    let error = store.head("k").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Retryable);
    assert_eq!(error.to_string(), "s3://bucket/k: no answer: Connection refused (os error 111)");

    let http = ProviderConfig::without_region().with_http_client(config::http_client());
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(&http)
        .profile_name("s3inv no such profile")
        .build();
    let provider = SharedCredentialsProvider::new(profile);
    let config = test_config("http://127.0.0.1:9").to_builder().credentials_provider(provider).build();
    let error = S3Store::new(&config, "bucket").unwrap().head("k").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    assert!(error.to_string().ends_with("are there credentials for AWS?"), "{error}");
}
