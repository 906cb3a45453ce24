"""Writes the inventory of many objects, each alone in a directory, as AWS divides it: few, large pieces.

    large.py FOLDER ROWS

Writes `large.parquet`, `large.orc`, and `dictionary.orc`, in which the keys are a dictionary.
"""

import sys

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet

folder, rows = sys.argv[1], int(sys.argv[2])
MASK = (1 << 64) - 1


def name(nth):
    """No two are the same, and they compress badly."""
    mixed = (nth + 1) * 0x9E3779B97F4A7C15 & MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
    return f"{mixed ^ mixed >> 27:016x}/object"


def table(end):
    """The rows, the names of their objects with something behind."""
    return pa.table({
        "bucket": pa.array(["my-bucket"]).take(pa.array([0] * rows)),
        "key": pa.array((name(nth) + end for nth in range(rows)), pa.string()),
        "size": pa.array([nth % 1000 for nth in range(rows)], pa.int64()),
        "last_modified_date": pa.array([1_715_035_068_000]).take(pa.array([0] * rows)).cast(pa.timestamp("ms")),
        "storage_class": pa.array(["STANDARD"]).take(pa.array([0] * rows)),
    })


def write_orc(t, path, **options):
    pa.orc.write_table(t, path, compression="zlib", compression_block_size=256 << 10, **options)


plain = table("")
pa.parquet.write_table(plain, folder + "/large.parquet", row_group_size=rows)
write_orc(plain, folder + "/large.orc")
write_orc(table("-" * 40), folder + "/dictionary.orc", dictionary_key_size_threshold=1.0)
