"""Adds up data files of inventories with DuckDB's SQL.

    add_up.py FILE

The file is a JSON list of {"format": "csv" | "parquet" | "orc", "files": [path …], "columns": [name …],
"snapshot": ms}. For each of them a line `= NUMBER` is printed, and then lines of four words with tabs
between: prefix in hexadecimal, what is counted, objects, bytes; for the count `dates`, the newest and the
oldest date in milliseconds. Keys have to be UTF-8.
"""

import json
import sys

import duckdb
import pyarrow as pa
import pyarrow.orc

# The rows of any format, with NULL for what the inventory doesn't tell.
ROWS = """
    CREATE OR REPLACE TEMP TABLE rows AS
    SELECT {key} AS key, {size} AS size, {modified} AS modified, {storage_class} AS class, {tier} AS tier,
           {is_latest} AS latest, {is_delete_marker} AS marker
    FROM source"""

# Each row once for every prefix that it lies below, and what it is counted as.
LABELLED = """
    CREATE OR REPLACE TEMP TABLE labelled AS
    SELECT unnest([''] || [array_to_string(parts[1:n], '/') || '/' FOR n IN range(1, len(parts))]) AS prefix,
           NOT marker AND latest AS current, marker, latest, size, modified,
           CASE WHEN latest THEN 'current' ELSE 'noncurrent' END AS whose,
           class || CASE WHEN class = 'INTELLIGENT_TIERING'
               THEN '_' || regexp_replace(coalesce(tier, 'FREQUENT'), '_ACCESS$', '') ELSE '' END AS class,
           CASE WHEN $snapshot - modified < 30 * $day::BIGINT THEN '<30d'
                WHEN $snapshot - modified < 90 * $day::BIGINT THEN '<90d'
                WHEN $snapshot - modified < 180 * $day::BIGINT THEN '<180d'
                WHEN $snapshot - modified < 365 * $day::BIGINT THEN '<365d'
                WHEN $snapshot - modified < 730 * $day::BIGINT THEN '<730d'
                WHEN modified IS NOT NULL THEN '>=730d' END AS age,
           CASE WHEN size = 0 THEN '0'
                WHEN size < 1024 THEN '<1KiB'
                WHEN size < 128 * 1024 THEN '<128KiB'
                WHEN size < 1024 * 1024 THEN '<1MiB'
                WHEN size < 16 * 1024 * 1024 THEN '<16MiB'
                WHEN size < 128 * 1024 * 1024 THEN '<128MiB'
                WHEN size < 1024::BIGINT * 1024 * 1024 THEN '<1GiB'
                WHEN size < 5::BIGINT * 1024 * 1024 * 1024 THEN '<5GiB'
                WHEN size IS NOT NULL THEN '>=5GiB' END AS band
    FROM (SELECT *, string_split(key, '/') AS parts FROM rows)"""

SUMS = """
    WITH counted AS (
        SELECT prefix, whose AS what, size FROM labelled WHERE NOT marker
        UNION ALL SELECT prefix, whose || ' ' || class, size FROM labelled WHERE NOT marker AND class IS NOT NULL
        UNION ALL SELECT prefix, 'age ' || age, size FROM labelled WHERE current AND age IS NOT NULL
        UNION ALL SELECT prefix, 'size ' || band, size FROM labelled WHERE current AND band IS NOT NULL
        UNION ALL SELECT prefix, 'delete markers', 0 FROM labelled WHERE marker
        UNION ALL SELECT prefix, 'latest delete markers', 0 FROM labelled WHERE marker AND latest)
    SELECT hex(encode(prefix)), what, count(*), coalesce(sum(size), 0) FROM counted GROUP BY ALL
    UNION ALL
    SELECT hex(encode(prefix)), 'dates', max(modified), min(modified) FROM labelled
    WHERE current AND modified IS NOT NULL GROUP BY prefix"""

CSV = {
    # A space is `+` there, and a plus `%2B`; DuckDB's function knows only the percent.
    "key": "url_decode(replace(key, '+', ' '))",
    "size": "nullif(size, '')::BIGINT",
    "last_modified_date": "epoch_ms(last_modified_date::TIMESTAMPTZ)",
    "storage_class": "nullif(storage_class, '')",
    "intelligent_tiering_access_tier": "nullif(intelligent_tiering_access_tier, '')",
    "is_latest": "is_latest::BOOLEAN",
    "is_delete_marker": "is_delete_marker::BOOLEAN",
}
COLUMNAR = {name: name for name in CSV} | {"last_modified_date": "epoch_ms(last_modified_date)"}
UNTOLD = {name: "NULL" for name in CSV} | {"is_latest": "true", "is_delete_marker": "false"}


def source(format, files, columns):
    """A relation of what the files hold."""
    if format == "parquet":
        return duckdb.read_parquet(files)
    if format == "orc":
        arrow = pa.concat_tables([pa.orc.read_table(path) for path in files])
        return duckdb.from_arrow(arrow)
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    paths = ", ".join(f"'{path}'" for path in files)
    return duckdb.sql(
        f"SELECT * FROM read_csv([{paths}], auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', allow_quoted_nulls = false, columns = {{{names}}})"
    )


duckdb.sql("SET TimeZone = 'UTC'")
with open(sys.argv[1]) as file:
    inventories = json.load(file)
for nth, inventory in enumerate(inventories):
    format, columns = inventory["format"], inventory["columns"]
    duckdb.sql("DROP VIEW IF EXISTS source")
    source(format, inventory["files"], columns).create_view("source")
    told = CSV if format == "csv" else COLUMNAR
    cells = {name: told[name] if name in columns else UNTOLD[name] for name in CSV}
    cells["modified"] = cells.pop("last_modified_date")
    cells["tier"] = cells.pop("intelligent_tiering_access_tier")
    cells = {"size": f"({cells.pop('size')})::BIGINT", "modified": f"({cells.pop('modified')})::BIGINT"} | cells
    cells["storage_class"] = f"({cells['storage_class']})::VARCHAR"
    duckdb.execute(ROWS.format(**cells))
    duckdb.execute(LABELLED, {"snapshot": inventory["snapshot"], "day": 24 * 60 * 60 * 1000})
    print("=", nth)
    for row in duckdb.execute(SUMS).fetchall():
        print(*row, sep="\t")
