"""Does what AWS's SDKs do with S3: large bodies, 100-continue, checksums in trailers, multipart, ranges."""

import io
import os
import boto3
from boto3.s3.transfer import TransferConfig

s3 = boto3.client("s3")
content = os.urandom(20 << 20)
s3.create_bucket(Bucket="boto")
s3.put_object(Bucket="boto", Key="large", Body=content)
assert s3.get_object(Bucket="boto", Key="large")["Body"].read() == content
assert s3.head_object(Bucket="boto", Key="large")["ContentLength"] == len(content)
part = s3.get_object(Bucket="boto", Key="large", Range="bytes=-7")
assert part["Body"].read() == content[-7:] and part["ResponseMetadata"]["HTTPStatusCode"] == 206
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_fileobj(io.BytesIO(content), "boto", "a key/with é", Config=config)
assert s3.head_object(Bucket="boto", Key="a key/with é")["ETag"].endswith('-4"')
assert s3.get_object(Bucket="boto", Key="a key/with é")["Body"].read() == content
s3.copy({"Bucket": "boto", "Key": "large"}, "boto", "copy", Config=config)
assert s3.get_object(Bucket="boto", Key="copy")["Body"].read() == content
assert [found["Key"] for found in s3.list_objects_v2(Bucket="boto")["Contents"]] == ["a key/with é", "copy", "large"]
