"""The demo's inventory a day later: later.py FOLDER OUT, with what was added, grew, shrank and went.

What happens to an object follows from its size, so that it is the same each time. Writes a delivery in one CSV file to OUT.
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import sys

DAY = 24 * 60 * 60 * 1000


def later(bucket, key, size, storage, tier):
    """What became of an object: rows."""
    folder, name = key.rsplit("/", 1)
    letter = folder.split("/")[2]
    rows = []
    # All of some directories, of different depths, and one package in 31.
    went = letter in ("0", "libz") or "tex" in folder or size % 31 == 0
    if not went:
        grown = size * 3 if size % 7 == 1 else size // 2 if size % 11 == 2 else size
        rows.append((bucket, key, grown, storage, tier))
    if size % 13 == 5:
        rows.append((bucket, f"{folder}/old/{size % 3}/{name}", size // 3, "GLACIER_IR", ""))
    if size % 101 == 7:
        rows.append((bucket, f"pool/main/{letter}/{name}.sig", size % 1000, "STANDARD", ""))
    if size % 211 == 9:
        rows.append((bucket, f"pool/non-free/{letter}/{name}", size, "STANDARD_IA", ""))
    if size % 997 == 1:
        rows.append((bucket, f"{letter}.{size}.log", size, "STANDARD", ""))
    return rows


def main(demo, out):
    manifest = json.loads((demo / "manifest.json").read_text())
    text = io.StringIO()
    written = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for file in manifest["files"]:
        with gzip.open(demo / file["key"], "rt", newline="") as rows:
            for bucket, key, size, storage, tier in csv.reader(rows):
                written.writerows(later(bucket, key, int(size), storage, tier))
    data = gzip.compress(text.getvalue().encode(), compresslevel=1)
    (out / "data").mkdir()
    (out / "data/later.csv.gz").write_bytes(data)
    file = {"key": "data/later.csv.gz", "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()}
    manifest.update(files=[file], creationTimestamp=str(int(manifest["creationTimestamp"]) + DAY))
    text = json.dumps(manifest)
    (out / "manifest.json").write_text(text)
    (out / "manifest.checksum").write_text(hashlib.md5(text.encode()).hexdigest())


main(*map(pathlib.Path, sys.argv[1:]))
