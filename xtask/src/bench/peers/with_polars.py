"""Objects and bytes of every prefix by class and tier, with Polars on one thread: with_polars.py SOURCE OUT.

As with_duckdb.py does it. Of four ways to find a key's directory, to cut off what matches `[^/]+$` was the
fastest, by two and more.
"""

import os
from urllib.parse import unquote_plus

# Read when Polars is imported.
os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl

from inventory import Clock, Inventory, tell

inventory = Inventory()
clock = Clock()

if inventory.is_csv:
    schema = {name: pl.Int64 if name == "Size" else pl.String for name in inventory.columns}
    rows = pl.scan_csv(inventory.files, has_header=False, schema=schema)
    names = {"Key": "key", "Size": "size", "StorageClass": "class", "IntelligentTieringAccessTier": "tier"}
else:
    rows = pl.scan_parquet(inventory.files)
    names = {"key": "key", "size": "size", "storage_class": "class", "intelligent_tiering_access_tier": "tier"}
directory = pl.col("key").str.replace(r"[^/]+$", "").alias("prefix")
own = (
    rows.select(pl.col(old).alias(new) for old, new in names.items())
    .group_by(directory, "class", "tier")
    .agg(pl.len().cast(pl.Int64).alias("objects"), pl.col("size").sum().alias("bytes"))
    .with_columns(pl.col("prefix").str.count_matches("/", literal=True).alias("depth"))
    .collect(engine="streaming")
)

if inventory.is_csv:
    # Each escaped directory once, and by Python: Polars has no function for it.
    escaped = own.lazy().filter(pl.col("prefix").str.contains("[%+]")).select("prefix").unique().collect()
    plain = {prefix: unquote_plus(prefix) for prefix in escaped["prefix"]}
    if plain:
        own = own.with_columns(pl.col("prefix").replace(plain))

sums = [pl.col("objects").sum(), pl.col("bytes").sum()]
levels = own.partition_by("depth", as_dict=True, include_key=False)
none = own.clear().drop("depth")
parents = pl.col("prefix").str.replace(r"[^/]+/$", "")
(deepest,) = max(levels, default=(0,))
level = levels.get((deepest,), none)
done = [level]
for depth in reversed(range(deepest)):
    both = pl.concat([level.with_columns(parents), levels.get((depth,), none)])
    level = both.lazy().group_by("prefix", "class", "tier").agg(sums).collect(engine="streaming")
    done.append(level)
pl.concat(done).write_parquet(inventory.out)
clock.stop()

table = pl.read_parquet(inventory.out)
root = table.filter(pl.col("prefix") == "")
answer = root["objects"].sum(), table["prefix"].n_unique(), root["bytes"].sum()
tell(clock, f"Polars {pl.__version__}", *answer)
