"""Writes ORC files of random rows, and beside each what is in it: orc_files.py <folder> <seed> <which>.

<which> is `all`, or for only a few, `small` or `java`.

A line of NAME.tsv is a row: key, class, tier (hexadecimal), size, milliseconds, flags; - is null.
"""
import datetime, os, random, sys
import pyarrow as pa, pyarrow.orc as orc, pyorc

folder, seed, which = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rng = random.Random(seed)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
CLASSES = ["STANDARD", "GLACIER", "STANDARD_IA", "INTELLIGENT_TIERING", "NEW_ONE", ""]

def millis():
    kind = rng.random()
    if kind < 0.7: return rng.randrange(1_140_000_000, 1_900_000_000) * 1000
    if kind < 0.9: return rng.randrange(1_140_000_000_000, 1_900_000_000_000)
    # Not the last second before 1970: writers lose its sign.
    return rng.randrange(-60_000_000_000, -1000)

def size():
    kind = rng.random()
    if kind < 0.3: return rng.choice([0, 1, -1, 2**31 - 1, -2**31])
    return rng.randrange(10 ** rng.randrange(1, 9))

def key(nth, style):
    if style == "ids": return "%s/%08x/%d" % (rng.choice("abc"), rng.getrandbits(32), nth)
    if style == "few": return "dir/%d" % rng.randrange(50)
    if rng.random() < 0.01: return "ü" * rng.randrange(400, 700)
    return "logs/%06d%s" % (nth, "é" * rng.randrange(3))

def rows(count, nulls, style):
    maybe = lambda value: None if rng.random() < nulls else value
    run = 1
    for nth in range(count):
        run = run - 1 if run else rng.randrange(400)
        if nth == 0 or run == 0: last = (size(), rng.choice(CLASSES))
        steady = rng.random() < 0.8
        yield (maybe(key(nth, style)), maybe(last[1] if steady else rng.choice(CLASSES)),
               maybe(rng.choice(["FREQUENT", "ARCHIVE"])),
               maybe(last[0] if steady else size()), maybe(millis()), maybe(rng.random() < 0.9), maybe(rng.random() < 0.1))

def expected(name, table):
    text = lambda value: "-" if value is None else value.encode().hex() or "."
    plain = lambda value: "-" if value is None else str(int(value))
    with open(f"{folder}/{name}.tsv", "w") as out:
        for row in table:
            out.write("\t".join([*map(text, row[:3]), *map(plain, row[3:])]) + "\n")

def stamp(ms): return None if ms is None else EPOCH + datetime.timedelta(milliseconds=ms)

NAMES = ["Key", "storage_class", "intelligent_tiering_access_tier", "size", "last_modified_date", "is_latest", "is_delete_marker"]

def by_pyorc(name, table, texts="string", whole="bigint", times="timestamp", **options):
    kinds = [texts, texts, "string", whole, times, "boolean", "boolean"]
    more = "e_tag:string,shares:array<int>,odd:uniontype<int,string>,price:decimal(10,2),tags:map<string,struct<a:int>>"
    schema = "struct<" + more + "," + ",".join(f"{n}:{k}" for n, k in zip(NAMES, kinds)) + ">"
    with open(f"{folder}/{name}.orc", "wb") as out, pyorc.Writer(out, schema, **options) as writer:
        for row in table:
            # Never null: null unions crash pyorc 0.12.
            odd = rng.choice([1, "x"])
            cells = list(row)
            cells[4] = stamp(row[4])
            if texts == "binary": cells[:2] = [None if c is None else c.encode() for c in cells[:2]]
            writer.write((rng.choice("abc"), [1, 2], odd, None, {"t": (1,)}, *cells))
    expected(name, table)

def by_pyarrow(name, table, times=pa.timestamp("ns"), **options):
    kinds = [pa.string()] * 3 + [pa.int64(), times, pa.bool_(), pa.bool_()]
    columns = [list(column) for column in zip(*table)] or [[]] * 7
    columns[4] = [None if ms is None else ms * 1_000_000 for ms in columns[4]]
    data = pa.table({n: pa.array(c, type=k) for n, c, k in zip(NAMES, columns, kinds)})
    orc.write_table(data, f"{folder}/{name}.orc", **options)
    expected(name, table)

def large():
    C = pyorc.CompressionKind
    for nth, kind in enumerate([C.NONE, C.ZLIB, C.SNAPPY, C.LZ4, C.ZSTD]):
        table = list(rows(6000, [0.2, 0.1, 0, 0.2, 0.3][nth], ["ids", "few", "logs"][nth % 3]))
        by_pyorc(f"pyorc-{nth}", table, compression=kind, stripe_size=[64 << 20, 65536][nth % 2], batch_size=rng.choice([100, 1024]),
                 compression_block_size=[65536, 262144, 4096][nth % 3], memory_block_size=1024, dict_key_size_threshold=[0.0, 0.8, 1.0][nth % 3],
                 texts=["varchar(2048)", "string", "binary", "binary", "string"][nth], whole=["bigint", "int"][nth % 2],
                 times=["timestamp", "timestamp with local time zone"][nth % 2])
    for nth, kind in enumerate(["uncompressed", "zlib", "snappy", "lz4", "zstd"]):
        for version in ["0.11", "0.12"]:
            table = list(rows(9000, 0.1 * (nth % 3), ["ids", "few", "logs"][(nth + 1) % 3]))
            by_pyarrow(f"pyarrow-{version}-{nth}", table, compression=kind, file_version=version, stripe_size=[64 << 20, 65536][nth % 2],
                       compression_block_size=[262144, 65536][nth % 2], dictionary_key_size_threshold=[0.0, 1.0, 0.8][nth % 3],
                       times=[pa.timestamp("ns"), pa.timestamp("ns", tz="UTC")][nth % 2])
    by_pyarrow("empty", [], compression="zlib")
    by_pyarrow("nulls", [(None,) * 7] * 2000, compression="zlib")

def small():
    for nth, kind in enumerate(["uncompressed", "zlib", "snappy", "lz4", "zstd"]):
        by_pyarrow(f"small-{nth}", list(rows(40, 0.1, "few")), compression=kind, dictionary_key_size_threshold=[1.0, 0.0][nth % 2],
                   file_version=["0.11", "0.12"][nth % 2], compression_block_size=64 << 10)

def java():
    # Files by the Java writer, which pyarrow's wheel brings along, and what the C++ reader reads of the second.
    samples = os.path.join(os.path.dirname(pa.__file__), "tests", "data", "orc")
    for name, sample in [("java-1", "TestOrcFile.test1.orc"), ("java-2", "TestOrcFile.testDate1900.orc")]:
        with open(f"{samples}/{sample}", "rb") as source, open(f"{folder}/{name}.bin", "wb") as out:
            out.write(source.read())
    times = orc.ORCFile(f"{samples}/TestOrcFile.testDate1900.orc").read(["time"])["time"].cast(pa.int64())
    with open(f"{folder}/java-2.tsv", "w") as out:
        out.writelines(f"{ns // 1_000_000}\n" for ns in times.to_pylist())

if which != "java": small()
if which == "java": java()
if which == "all": large()
