"""Serves S3 (moto) on a free loopback port, which it prints, until its standard input ends.

The pipe to standard input closes with the process that holds it, however that process ends.
"""

import pathlib
import signal
import sys

from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer


def get_bucket_versioning(self):
    """As S3 answers: moto calls the document GetBucketVersioningResponse, which is no answer of S3's."""
    status = self.backend.get_bucket_versioning(self.bucket_name)
    status = f"<Status>{status}</Status>" if status else ""
    return 200, {}, f"<VersioningConfiguration>{status}</VersioningConfiguration>"


S3Response.get_bucket_versioning = get_bucket_versioning

# What the local AWS corrects, on import.
sys.path.append(str(pathlib.Path(__file__).parents[1] / "tests/local/python"))
import s3  # noqa: E402, F401

# Ctrl-C goes to the whole process group: the tests stop first, then this.
signal.signal(signal.SIGINT, signal.SIG_IGN)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
