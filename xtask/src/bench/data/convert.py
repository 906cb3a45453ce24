"""Rewrites the CSV data files of a made inventory: convert.py SOURCE TARGET parquet|orc.

As S3 writes them: Parquet with Snappy and dictionaries, times as UTC milliseconds; ORC with ZLIB in blocks
of 256 KiB and dictionaries from a threshold of 0.8, in stripes of 64 MiB.
"""

import hashlib
import json
import os
import sys
import urllib.parse

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.orc as orc
import pyarrow.parquet as parquet

source, target, kind = sys.argv[1:]
SNAKE = {
    "Bucket": "bucket",
    "Key": "key",
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "StorageClass": "storage_class",
    "IsMultipartUploaded": "is_multipart_uploaded",
    "IntelligentTieringAccessTier": "intelligent_tiering_access_tier",
    "EncryptionStatus": "encryption_status",
    "ReplicationStatus": "replication_status",
}


def column(name, texts):
    if name == "Key":
        return pa.array([urllib.parse.unquote_plus(key) for key in texts.to_pylist()], pa.string())
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    if name == "Size":
        return pc.cast(texts, pa.int64())
    if name == "LastModifiedDate":
        times = pc.strptime(texts, format="%Y-%m-%dT%H:%M:%S.000Z", unit="ms")
        return pc.cast(times, pa.timestamp("ns") if kind == "orc" else pa.timestamp("ms", "UTC"))
    if name == "IsMultipartUploaded":
        return pc.equal(texts, "true")
    return texts


def convert(names, file):
    path = f"{source}/{file['key']}"
    options = csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=False)
    read = csv.ReadOptions(column_names=names)
    table = csv.read_csv(path, read_options=read, convert_options=options)
    columns = {SNAKE[name]: column(name, table[name].combine_chunks()) for name in names}
    key = file["key"].removesuffix(".csv.gz") + "." + kind
    os.makedirs(os.path.dirname(f"{target}/{key}"), exist_ok=True)
    if kind == "orc":
        orc.write_table(
            pa.table(columns),
            f"{target}/{key}",
            compression="zlib",
            compression_block_size=256 << 10,
            stripe_size=64 << 20,
            dictionary_key_size_threshold=0.8,
        )
    else:
        parquet.write_table(pa.table(columns), f"{target}/{key}", compression="snappy")
    data = open(f"{target}/{key}", "rb").read()
    return {"key": key, "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()}


manifest = json.load(open(f"{source}/manifest.json"))
names = [name.strip() for name in manifest["fileSchema"].split(",")]
manifest["files"] = [convert(names, file) for file in manifest["files"]]
manifest["fileFormat"] = {"orc": "ORC", "parquet": "Parquet"}[kind]
text = json.dumps(manifest, indent=2)
open(f"{target}/manifest.json", "w").write(text)
open(f"{target}/manifest.checksum", "w").write(hashlib.md5(text.encode()).hexdigest() + "\n")
