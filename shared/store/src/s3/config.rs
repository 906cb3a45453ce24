use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::service_config::ServiceConfigKey;

use super::retrying::Retrying;

const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// The configuration of this machine: environment, profile, container or instance, as every AWS
/// tool finds it (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3` …).
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BEHAVIOR()).http_client(http_client()).load().await
}

/// TLS by rustls with ring.
pub(super) fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The configuration of an S3 client, or why there is none.
pub(super) fn s3(config: &SdkConfig, retrying: &Retrying) -> Result<aws_sdk_s3::Config, &'static str> {
    let mut builder = retrying.configure(Builder::from(config));
    if config.behavior_version().is_none() {
        builder = builder.behavior_version(BEHAVIOR());
    }
    if config.http_client().is_none() {
        builder = builder.http_client(http_client());
    }
    let elsewhere = endpoint(config).is_some_and(|url| !is_aws(&url));
    if config.region().is_none() {
        if !elsewhere {
            return Err("no AWS region: set AWS_REGION, or `region` in your AWS profile");
        }
        builder = builder.region(Region::from_static("us-east-1"));
    }
    Ok(builder.force_path_style(elsewhere).build())
}

/// Whether the SDK adds checksums to requests that don't need them: so it does unless told not to.
pub(super) fn checksums(config: &SdkConfig) -> bool {
    !matches!(config.request_checksum_calculation(), Some(RequestChecksumCalculation::WhenRequired))
}

/// The endpoint that the SDK will use, by its own rule: one in code, one for S3, one for all.
pub(super) fn endpoint(config: &SdkConfig) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        general()
    } else {
        of_s3(config).or_else(general)
    }
}

fn of_s3(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    config.service_config()?.load_config(key.build().ok()?)
}

/// Whether the host of a URL is one of AWS's, a VPC endpoint included.
fn is_aws(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default().to_ascii_lowercase();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_aws() {
        for url in [
            "https://s3.eu-west-1.amazonaws.com",
            "https://bucket.vpce-1a.s3.us-east-1.vpce.amazonaws.com/",
            "https://s3.cn-north-1.amazonaws.com.cn:443",
            "https://S3.dualstack.us-east-1.api.aws",
        ] {
            assert!(is_aws(url), "{url}");
        }
        for url in ["http://127.0.0.1:5000", "http://minio", "https://s3.example.com/amazonaws.com", ""] {
            assert!(!is_aws(url), "{url}");
        }
    }

    #[test]
    fn a_region_is_needed_for_aws_only() {
        let s3 = |config: &SdkConfig| s3(config, &Retrying::new(config));
        let bare = SdkConfig::builder().build();
        assert!(s3(&bare).unwrap_err().contains("AWS_REGION"));
        let moto = SdkConfig::builder().endpoint_url("http://127.0.0.1:5000").build();
        assert_eq!(s3(&moto).unwrap().region().map(AsRef::as_ref), Some("us-east-1"));
        let aws = SdkConfig::builder().endpoint_url("https://s3.eu-west-1.amazonaws.com").build();
        assert!(s3(&aws).is_err());
    }
}
