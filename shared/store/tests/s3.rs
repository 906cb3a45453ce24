//! The S3 backend against moto.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use s3inv_store::{Bucket, Location, Only, S3Store, Store, StoreErrorKind};

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn moto() -> SdkConfig {
    let endpoint = std::env::var("S3INV_TEST_S3");
    config(
        &endpoint.expect("S3INV_TEST_S3 is not set: run `cargo xtask test`, which starts moto and sets it"),
    )
}

/// A client of the test's own.
fn client(config: &SdkConfig) -> Client {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let builder = aws_sdk_s3::config::Builder::from(config).http_client(http).force_path_style(true);
    Client::from_conf(builder.build())
}

async fn bucket(name: &str) -> (S3Store, Client) {
    let config = moto();
    let client = client(&config);
    let name = format!("s3inv-{name}-{}", std::process::id());
    client.create_bucket().bucket(&name).send().await.unwrap();
    (S3Store::new(&config, &name).unwrap(), client)
}

async fn open_uploads(client: &Client, name: &str) -> usize {
    let name = format!("s3inv-{name}-{}", std::process::id());
    client.list_multipart_uploads().bucket(name).send().await.unwrap().uploads().len()
}

#[tokio::test]
async fn conforms() {
    let (store, client) = bucket("conforms").await;
    let store = Arc::new(store);
    s3inv_store::conformance::run(store.clone(), "a/b//").await;
    assert_eq!(open_uploads(&client, "conforms").await, 0);
    s3inv_store::conformance::run_bucket(store, "lists/").await;
    assert_eq!(open_uploads(&client, "conforms").await, 0);
}

#[tokio::test]
async fn an_upload_that_is_dropped_anywhere_is_aborted() {
    let (store, client) = bucket("dropped").await;
    for polls in [0, 1, 2].into_iter().chain((2..16).map(|power| 1 << power)) {
        let mut upload = store.create("k").await.unwrap();
        let mut write = upload.write(vec![7; 17 << 20].into());
        for _ in 0..polls {
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx)));
            if once.await.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(write);
        drop(upload);
        store.settle().await;
        assert_eq!(open_uploads(&client, "dropped").await, 0, "after {polls} polls");
    }
    assert_eq!(store.head("k").await.unwrap_err().kind(), StoreErrorKind::NotFound);
}

#[tokio::test]
async fn an_upload_that_has_vanished_is_an_error_and_its_abort_is_not() {
    let (store, client) = bucket("vanished").await;
    let name = format!("s3inv-vanished-{}", std::process::id());
    let mut upload = store.create("k").await.unwrap();
    upload.write(vec![7; 9 << 20].into()).await.unwrap();
    let listed = client.list_multipart_uploads().bucket(&name).send().await.unwrap();
    let id = listed.uploads()[0].upload_id().unwrap();
    client.abort_multipart_upload().bucket(&name).key("k").upload_id(id).send().await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(store.head("k").await.unwrap_err().kind(), StoreErrorKind::NotFound);
}

/// Also when it no longer makes new ones: those that there are stay.
#[tokio::test]
async fn a_bucket_that_has_versions_says_so() {
    let (store, client) = bucket("versions").await;
    let name = format!("s3inv-versions-{}", std::process::id());
    for status in [BucketVersioningStatus::Enabled, BucketVersioningStatus::Suspended] {
        let versioning = VersioningConfiguration::builder().status(status).build();
        let request = client.put_bucket_versioning().bucket(&name);
        request.versioning_configuration(versioning).send().await.unwrap();
        assert!(store.keeps_versions().await.unwrap());
    }
    let error = store.with_bucket("s3inv-no-such-bucket").keeps_versions().await.unwrap_err();
    assert_eq!(error.to_string(), "s3://s3inv-no-such-bucket/: the bucket does not exist");
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let config = moto();
    let (store, key) = Location::parse("s3://s3inv-no-such-bucket/k").unwrap().open(Some(&config)).unwrap();
    let error = store.read(&key, 0..1, None).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://s3inv-no-such-bucket/k: the bucket does not exist");
    let upload = store.create(&key).await.unwrap();
    let error = upload.complete(Only::Always).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://s3inv-no-such-bucket/k: the bucket does not exist");
}
