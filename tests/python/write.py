"""Writes tables as data files of inventories, with several writers each.

    write.py FOLDER

For each `N.json` in the folder ({"columns": [name …], "rows": [{…}]}, keys in hexadecimal) it writes
`N.WRITER.parquet` and `N.WRITER.orc` beside it.
"""

import datetime
import glob
import json
import sys

import duckdb
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pyorc

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

ARROW = {
    "is_latest": pa.bool_(),
    "is_delete_marker": pa.bool_(),
    "size": pa.int64(),
    "last_modified_date": pa.timestamp("ms", "UTC"),
}
ORC = {"is_latest": "boolean", "is_delete_marker": "boolean", "size": "bigint"}


def decoded(keys):
    """The keys as texts, or as they are if one isn't UTF-8."""
    try:
        return [key.decode() for key in keys]
    except UnicodeDecodeError:
        return keys


def table(columns, rows):
    """The rows as Arrow's table; dates in milliseconds."""
    arrays = {}
    for name in columns:
        cells = [row[name] for row in rows]
        kind = ARROW.get(name, pa.string())
        if name == "key":
            cells = decoded([bytes.fromhex(key) for key in cells])
            kind = pa.binary() if cells and isinstance(cells[0], bytes) else kind
        arrays[name] = pa.array(cells, kind)
    return pa.table(arrays)


def with_dates(t, kind):
    """The table with its dates as another type."""
    at = t.schema.get_field_index("last_modified_date")
    return t if at < 0 else t.set_column(at, "last_modified_date", t.column(at).cast(kind))


def write_parquet(t, base):
    small = {"row_group_size": 150, "data_page_size": 512}
    pa.parquet.write_table(t, base + ".pyarrow.parquet", **small)
    for unit in ["us", "ns"]:
        of_unit = with_dates(t, pa.timestamp(unit, "UTC"))
        pa.parquet.write_table(of_unit, f"{base}.pyarrow-{unit}.parquet", compression="none", **small)
    int96 = base + ".pyarrow-int96.parquet"
    pa.parquet.write_table(t, int96, use_deprecated_int96_timestamps=True, data_page_version="2.0", **small)
    duckdb.sql(f"COPY t TO '{base}.duckdb.parquet' (FORMAT parquet, COMPRESSION snappy)")


def pyorc_cell(name, cell):
    if cell is None or name != "last_modified_date":
        return cell
    return EPOCH + datetime.timedelta(milliseconds=cell)


def write_with_pyorc(columns, rows, path, dates, **options):
    """As AWS's writer: ZLIB; here with small blocks and stripes."""
    kinds = ORC | {"last_modified_date": dates}
    schema = ",".join(f"{name}:{kinds.get(name, 'string')}" for name in columns)
    keys = decoded([bytes.fromhex(row["key"]) for row in rows])
    with open(path, "wb") as file:
        writer = pyorc.Writer(
            file,
            f"struct<{schema}>",
            batch_size=64,
            stripe_size=1024,
            row_index_stride=1000,
            compression=pyorc.CompressionKind.ZLIB,
            compression_block_size=1024,
            memory_block_size=1024,
            **options,
        )
        for key, row in zip(keys, rows):
            row = row | {"key": key}
            writer.write(tuple(pyorc_cell(name, row[name]) for name in columns))
        writer.close()


def write_orc(t, columns, rows, base):
    # Arrow writes a timestamp without zone as ORC's `timestamp`, one with a zone as that of an instant.
    plain, instant = [with_dates(t, pa.timestamp("ns", zone)) for zone in [None, "UTC"]]
    small = {"stripe_size": 4096, "batch_size": 100}
    pa.orc.write_table(plain, base + ".pyarrow.orc", compression="uncompressed", **small)
    pa.orc.write_table(instant, base + ".pyarrow-instant.orc", compression="zlib", **small)
    if t.schema.field("key").type == pa.binary():
        return
    instants = "timestamp with local time zone"
    write_with_pyorc(columns, rows, base + ".pyorc.orc", "timestamp", dict_key_size_threshold=1.0)
    write_with_pyorc(columns, rows, base + ".pyorc-instant.orc", instants, dict_key_size_threshold=0.0)
    for name in ["pyarrow", "pyorc", "pyorc-instant"]:
        # Files with one stripe would test less than they seem to.
        assert len(rows) < 500 or pa.orc.ORCFile(f"{base}.{name}.orc").nstripes > 1, (base, name)


for path in glob.glob(sys.argv[1] + "/*.json"):
    base = path.removesuffix(".json")
    with open(path) as file:
        content = json.load(file)
    columns, rows = content["columns"], content["rows"]
    t = table(columns, rows)
    write_parquet(t, base)
    write_orc(t, columns, rows, base)
