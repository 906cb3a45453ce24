"""Serves S3 (moto) on a free loopback port, which it prints, until its standard input ends.

The pipe to standard input closes with the process that holds it, however that process ends.
"""

import pathlib
import signal
import sys

from moto.server import ThreadedMotoServer

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
