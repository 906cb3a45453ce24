use std::path::Path;

use crate::Delivery;
use crate::python::python;

/// Makes a bucket, and puts all files below a folder into it.
const FILL: &str = r#"
import os, sys, boto3
endpoint, bucket, root = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  aws_access_key_id="test", aws_secret_access_key="test")
s3.create_bucket(Bucket=bucket)
for folder, _, names in os.walk(root):
    for name in names:
        path = os.path.join(folder, name)
        s3.upload_file(path, bucket, os.path.relpath(path, root))
"#;

/// Prints the keys of a bucket, then those of its open multipart uploads with a mark.
const LIST: &str = r#"
import sys, boto3
endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  aws_access_key_id="test", aws_secret_access_key="test")
for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
    print(found["Key"])
for found in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
    print("upload of " + found["Key"])
"#;

/// Prints the media type of an object.
const TYPE: &str = r#"
import sys, boto3
endpoint, bucket, key = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  aws_access_key_id="test", aws_secret_access_key="test")
print(s3.head_object(Bucket=bucket, Key=key)["ContentType"])
"#;

/// A bucket of the local S3.
pub struct Bucket {
    /// Its name.
    pub name: String,
    endpoint: String,
}

impl Bucket {
    /// Makes one of this process's own, with what lies below a folder.
    pub fn with_files(name: &str, root: &Path) -> Self {
        let endpoint = std::env::var("S3INV_TEST_S3")
            .expect("S3INV_TEST_S3 is not set: run `cargo xtask test`, which starts moto and sets it");
        let name = format!("s3inv-e2e-{name}-{}", std::process::id());
        python(FILL, &[endpoint.as_ref(), name.as_ref(), root.as_os_str()]);
        Self { name, endpoint }
    }

    /// Makes one with a delivery in it, which names it as its destination.
    pub fn with(name: &str, delivery: Delivery) -> (Self, Delivery) {
        let arn = format!("arn:aws:s3:::s3inv-e2e-{name}-{}", std::process::id());
        let delivery = delivery.to_bucket(&arn);
        let root = tempfile::tempdir().unwrap();
        delivery.write(root.path());
        (Self::with_files(name, root.path()), delivery)
    }

    /// Where an object of it is.
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// How the binary reaches it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        environment(&self.endpoint)
    }

    /// The media type of an object of it.
    pub fn media_type(&self, key: &str) -> String {
        let printed = python(TYPE, &[self.endpoint.as_ref(), self.name.as_ref(), key.as_ref()]);
        printed.trim_end().to_owned()
    }

    /// The keys in it, and `upload of KEY` for each multipart upload that is open.
    pub fn listing(&self) -> Vec<String> {
        let listed = python(LIST, &[self.endpoint.as_ref(), self.name.as_ref()]);
        listed.lines().map(str::to_owned).collect()
    }
}

/// What makes the binary use an S3 at this endpoint.
pub(crate) fn environment(endpoint: &str) -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ]
}
