#!/usr/bin/env python3
"""Reads a file of the format that SPEC.md describes, and prints its rows as JSON lines.

Written from SPEC.md alone, so that it shows what the text leaves open. It checks everything that the text says
readers and `verify` check, and where pages end. It holds the whole file in memory, and is slow.

Needs Python 3.11, `zstandard` and `xxhash`.
"""

import base64
import json
import sys

import xxhash
import zstandard

MAGIC = b"S3INVIDX"
VERSION = 1
TRAILER = 64
U64 = 2**64

MAX_PREFIX = 1024
MAX_COLUMNS = 256
MAX_PAGE_RAW, MAX_PAGE_STORED = 131_072, 147_456
MAX_BLOCK_ENTRIES, MAX_BLOCK_RAW, MAX_BLOCK_STORED = 128, 262_144, 294_912
MAX_ROOT_ENTRIES, MAX_ROOT = 131_072, 67_108_864
MAX_INFO = 1_048_576

NAME_CHARS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class Damaged(Exception):
    """The file is not one of this format, or contradicts itself."""


def need(truth, what):
    if not truth:
        raise Damaged(what)


def checksum(data):
    return xxhash.xxh3_64_intdigest(data)


class Bytes:
    """Goes through bytes from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, length):
        need(length <= self.left(), "bytes end early")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(value < U64, "a varint does not fit 64 bits")
                return value
        raise Damaged("a varint of more than ten bytes")


def unpack_lz4(stored, raw_len):
    """The LZ4 block format: sequences of literals and of a match in what came before."""
    source, raw = Bytes(stored), bytearray()

    def length(start):
        total = start
        while start == 15:
            byte = source.take(1)[0]
            total += byte
            start = 15 if byte == 255 else 0
        return total

    while True:
        token = source.take(1)[0]
        raw += source.take(length(token >> 4))
        if source.left() == 0:
            return bytes(raw)
        offset = source.number(2)
        need(0 < offset <= len(raw), "an LZ4 match before the beginning")
        count = length(token & 15) + 4
        need(len(raw) + count <= raw_len, "more LZ4 than was said")
        for _ in range(count):
            raw.append(raw[-offset])


def unpack(method, stored, raw_len):
    if method == "lz4":
        raw = unpack_lz4(stored, raw_len)
    else:
        try:
            raw = zstandard.ZstdDecompressor().decompress(stored, max_output_size=max(raw_len, 1))
        except zstandard.ZstdError as error:
            raise Damaged(f"zstd: {error}") from error
    need(len(raw) == raw_len, "does not decompress to its length")
    return raw


def is_prefix(data):
    return len(data) <= MAX_PREFIX and (data == b"" or data.endswith(b"/"))


def place(prefix):
    """Parent and name."""
    at = prefix[:-1].rfind(b"/") + 1
    return prefix[:at], prefix[at:]


def read_trailer(data):
    need(len(data) >= len(MAGIC) + TRAILER, "too short")
    fields = Bytes(data[-TRAILER:])
    trailer = {name: fields.number(8) for name in ("pages_len", "directory_len", "root_checksum", "info_checksum")}
    trailer |= {name: fields.number(4) for name in ("root_len", "root_raw_len", "info_len", "version")}
    need(data[-8:] == MAGIC and data[:8] == MAGIC, "magic")
    need(fields.number(8) == checksum(data[-TRAILER:-16]), "checksum of the trailer")
    need(0 < trailer["version"] <= VERSION, f"version {trailer['version']}")
    parts = sum(trailer[name] for name in ("pages_len", "directory_len", "root_len", "info_len"))
    need(len(MAGIC) + parts + TRAILER == len(data), "parts do not add up to the file")
    need(max(trailer["root_len"], trailer["root_raw_len"]) <= MAX_ROOT, "length of the root block")
    need(trailer["info_len"] <= MAX_INFO, "length of the info")
    return trailer


def is_number(value):
    return type(value) is int and 0 <= value < U64


def read_info(text):
    info = json.loads(text)
    need(info["kind"] in ("index", "segment", "run"), "kind")
    need(info["compression"] in ("zstd", "lz4"), "compression")
    names = [column["name"] for column in info["columns"]]
    need(len(names) == len(set(names)) <= MAX_COLUMNS, "columns")
    need(all(column["kind"] == "class" for column in info["columns"]), "kind of a column")
    need(all(1 <= len(name) <= 64 and set(name) <= NAME_CHARS for name in names), "name of a column")
    need(all(is_number(info[name]) for name in ("prefixes", "depth", "rows")), "numbers of the info")
    need(set(info["excluded"]) <= {"delete_marker", "noncurrent"}, "reasons of exclusion")
    need(all(is_number(value) for value in info["excluded"].values()), "rows excluded")
    need(is_number(info.get("max_depth", 0)), "max_depth")
    if "origin" in info:
        need(all(type(info["origin"][name]) is str for name in ("source_bucket", "manifest_md5")), "origin")
        need(all(is_number(info["origin"][name]) for name in ("snapshot_ms", "data_files")), "origin")
    return info


def read_entries(raw, most):
    source, entries, previous = Bytes(raw), [], b""
    while source.left():
        need(len(entries) < most, "too many entries")
        shared = source.varint()
        need(shared <= len(previous), "an entry shares too much")
        entry = {"first": previous[:shared] + source.take(source.varint()), "checksum": source.number(8)}
        for name in ("rows", "len", "raw_len", "pages_len", "max_objects", "max_bytes"):
            entry[name] = source.varint()
        need(is_prefix(entry["first"]), "an entry's first is no prefix")
        need(not entries or place(previous) < place(entry["first"]), "entries do not ascend")
        need(entry["rows"] > 0, "an entry without rows")
        entries.append(entry)
        previous = entry["first"]
    return entries


def stored_part(data, at, entry, max_raw, max_stored):
    need(entry["raw_len"] <= max_raw and entry["len"] <= max_stored, "length of a page or block")
    need(at + entry["len"] <= len(data), "a page or block ends behind the file")
    stored = data[at : at + entry["len"]]
    need(checksum(stored) == entry["checksum"], f"checksum of what is at byte {at}")
    return stored


def check_block(block, pages):
    for page in pages:
        need(page["pages_len"] == page["len"], "pages_len of a page")
        need(page["rows"] * 3 <= page["raw_len"], "rows of a page")
    need(pages and pages[0]["first"] == block["first"], "first of a block")
    for name, joined in (("rows", sum), ("pages_len", sum), ("max_objects", max), ("max_bytes", max)):
        need(joined(page[name] for page in pages) == block[name], f"{name} of a block")


def read_directory(data, trailer, info):
    """Pages with their offsets."""
    blocks_at = len(MAGIC) + trailer["pages_len"]
    root_at = blocks_at + trailer["directory_len"]
    root = data[root_at : root_at + trailer["root_len"]]
    need(checksum(root) == trailer["root_checksum"], "checksum of the root block")
    blocks = read_entries(unpack("zstd", root, trailer["root_raw_len"]), MAX_ROOT_ENTRIES)
    need(sum(block["rows"] for block in blocks) == info["prefixes"], "rows of the blocks")
    need(sum(block["len"] for block in blocks) == trailer["directory_len"], "len of the blocks")
    need(sum(block["pages_len"] for block in blocks) == trailer["pages_len"], "pages_len of the blocks")
    page_at = len(MAGIC)
    for number, block in enumerate(blocks, 1):
        raw = unpack("zstd", stored_part(data, blocks_at, block, MAX_BLOCK_RAW, MAX_BLOCK_STORED), block["raw_len"])
        pages = read_entries(raw, MAX_BLOCK_ENTRIES)
        check_block(block, pages)
        need(len(pages) == MAX_BLOCK_ENTRIES or number == len(blocks), "a block that is not full")
        blocks_at += block["len"]
        for page in pages:
            yield page_at, page
            page_at += page["len"]


def read_page(raw, count, columns):
    """Rows, each with the size of the streams before it; and the size behind the last."""
    source = Bytes(raw)
    lengths = [source.varint() for _ in range(5)]
    streams = [Bytes(source.take(length)) for length in lengths]
    need(source.left() == 0, "bytes behind the streams of a page")
    lens, names, ids, objects, sizes = streams
    prefix, cells = b"", {}
    rows = []
    for _ in range(count):
        size = sum(stream.at for stream in streams)
        shared = lens.varint()
        need(shared <= len(prefix), "a prefix shares too much")
        prefix = prefix[:shared] + names.take(lens.varint())
        need(is_prefix(prefix), "a row that is no prefix")
        cells_count = ids.varint()
        if cells_count > 0:
            need(cells_count - 1 <= columns, "too many cells")
            cells, last = {}, -1
            for _ in range(cells_count - 1):
                column = ids.varint()
                need(last < column < columns, "a column that does not ascend or exist")
                cells[column] = (objects.varint(), sizes.varint())
                last = column
        need(max(total(cells)) < U64, "sums that do not fit 64 bits")
        rows.append((size, prefix, cells))
    need(all(stream.left() == 0 for stream in streams), "streams that are not used up")
    return rows, sum(lengths)


def total(cells):
    return sum(cell[0] for cell in cells.values()), sum(cell[1] for cell in cells.values())


def ends_before(size, prefix):
    """Where pages end."""
    low = checksum(prefix)
    return size >= 65_536 or (size >= 32_768 and low % 2**10 == 0) or low % 2**14 == 0


def read_rows(data, trailer, info):
    last, last_size = None, 0
    for at, page in read_directory(data, trailer, info):
        stored = stored_part(data, at, page, MAX_PAGE_RAW, MAX_PAGE_STORED)
        raw = unpack(info["compression"], stored, page["raw_len"])
        rows, size = read_page(raw, page["rows"], len(info["columns"]))
        need(rows[0][1] == page["first"], "first of a page")
        totals = [total(cells) for _, _, cells in rows]
        need(max(objects for objects, _ in totals) == page["max_objects"], "max_objects of a page")
        need(max(size for _, size in totals) == page["max_bytes"], "max_bytes of a page")
        need(last is None or ends_before(last_size, rows[0][1]), "a page that ends too early")
        need(not any(ends_before(before, prefix) for before, prefix, _ in rows[1:]), "a page that ends too late")
        last_size = size
        for _, prefix, cells in rows:
            need(last is None or last < place(prefix), "rows do not ascend")
            last = place(prefix)
            yield prefix, cells


def check_children(rows, prefix, children, columns):
    for column in range(columns):
        own = rows[prefix].get(column, (0, 0))
        below = [rows[child].get(column, (0, 0)) for child in children]
        objects, size = own[0] - sum(b[0] for b in below), own[1] - sum(b[1] for b in below)
        need(objects >= 0 and size >= 0, f"children of {prefix!r} hold more than it does")
        need(objects > 0 or size == 0, f"{prefix!r} has bytes of no object")


def verify(rows, info):
    need(b"" in rows, "no root")
    children = {}
    for prefix, cells in rows.items():
        need(prefix == b"" or cells, f"{prefix!r} has no cell")
        need(all(objects > 0 for objects, _ in cells.values()), f"{prefix!r} has a cell without objects")
        if prefix != b"":
            need(place(prefix)[0] in rows, f"the parent of {prefix!r} is missing")
            children.setdefault(place(prefix)[0], []).append(prefix)
    for prefix in rows:
        check_children(rows, prefix, children.get(prefix, []), len(info["columns"]))
    need(info["rows"] - sum(info["excluded"].values()) == total(rows[b""])[0], "rows less excluded ones")


def as_json(prefix, cells, info):
    objects, size = total(cells)
    try:
        row = {"prefix": prefix.decode()}
    except UnicodeDecodeError:
        row = {"prefix_b64": base64.b64encode(prefix).decode()}
    row |= {"depth": prefix.count(b"/"), "objects": objects, "bytes": size}
    classes = {info["columns"][column]["name"]: cell for column, cell in cells.items()}
    row["classes"] = {name: dict(zip(("objects", "bytes"), classes[name])) for name in sorted(classes)}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def read(data):
    """The info, and the cells of each prefix, in their order, when everything has been checked."""
    trailer = read_trailer(data)
    info_text = data[-TRAILER - trailer["info_len"] : -TRAILER]
    need(checksum(info_text) == trailer["info_checksum"], "checksum of the info")
    info = read_info(info_text)
    rows = dict(read_rows(data, trailer, info))
    need(len(rows) == info["prefixes"], "prefixes")
    depth = max((prefix.count(b"/") for prefix in rows), default=0)
    need(depth == info["depth"] <= info.get("max_depth", depth), "depth")
    if info["kind"] != "segment":
        verify(rows, info)
    return info, rows


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: read_index.py FILE")
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    try:
        info, rows = read(data)
    except (Damaged, KeyError, TypeError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error or type(error).__name__}")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for prefix, cells in rows.items():
        print(as_json(prefix, cells, info))


if __name__ == "__main__":
    main()
