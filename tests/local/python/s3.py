"""What S3 does and moto doesn't."""

import threading

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def known_upload(method):
    """Says that an upload is gone; moto breaks down."""

    def checked(self, bucket_name, multipart_id, *args, **kwargs):
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return method(self, bucket_name, multipart_id, *args, **kwargs)

    return checked


def known_upload_of_copy(method):
    def checked(self, dest_bucket_name, multipart_id, *args, **kwargs):
        if multipart_id not in self.get_bucket(dest_bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return method(self, dest_bucket_name, multipart_id, *args, **kwargs)

    return checked


S3Backend.upload_part = known_upload(S3Backend.upload_part)
S3Backend.complete_multipart_upload = known_upload(S3Backend.complete_multipart_upload)
S3Backend.upload_part_copy = known_upload_of_copy(S3Backend.upload_part_copy)

# moto looks whether an object exists, and then writes: two conditional writes would both succeed.
writes = threading.RLock()


def one_at_a_time(method):
    def locked(*args, **kwargs):
        with writes:
            return method(*args, **kwargs)

    return locked


S3Response.put_object = one_at_a_time(S3Response.put_object)
S3Response._key_response_post = one_at_a_time(S3Response._key_response_post)
S3Backend.abort_multipart_upload = one_at_a_time(S3Backend.abort_multipart_upload)


def get_bucket_versioning(self):
    """As S3 answers: moto calls the document GetBucketVersioningResponse, which is no answer of S3's."""
    status = self.backend.get_bucket_versioning(self.bucket_name)
    status = f"<Status>{status}</Status>" if status else ""
    return 200, {}, f"<VersioningConfiguration>{status}</VersioningConfiguration>"


S3Response.get_bucket_versioning = get_bucket_versioning
