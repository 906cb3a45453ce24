#!/usr/bin/env python3
"""Reads a file of the format that SPEC.md describes, and prints its rows as JSON lines.

Written from SPEC.md alone, so that it shows what the text leaves open. It checks everything that the text says
readers and `verify` check, and where pages end. It holds the whole file in memory, and is slow.

Needs Python 3.11, `zstandard` and `xxhash`.
"""

import base64
import datetime
import json
import sys

import xxhash
import zstandard

MAGIC = b"S3INVIDX"
VERSION = 4
TRAILER = 64
U64 = 2**64

MAX_PREFIX = 1024
MAX_CLASSES = 64
MAX_MOMENT = 253_402_300_799_999
MAX_PAGE_RAW, MAX_PAGE_STORED = 2_097_152, 2_359_296
MAX_PAGE_CELLS, MAX_PAGE_NAMES, MAX_PAGE_PARENTS = 131_072, 524_288, 2_097_152
MAX_BLOCK_ENTRIES, MAX_BLOCK_RAW, MAX_BLOCK_STORED = 128, 262_144, 294_912
MAX_ROOT_ENTRIES, MAX_ROOT = 131_072, 67_108_864
MAX_INFO = 1_048_576
MAX_LOTS, MAX_LOT_ROWS = 262_144, 65_536

BUCKET, REACH, LOT_ROWS = 128, 63, 32_768
LONG, ELSEWHERE, MAX_ROW = 14, 15, 114

NAME_CHARS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
MEASURES = {"bytes", "classes", "cost", "noncurrent", "dates", "age", "size"}
REASONS = {"delete_marker", "noncurrent", "bad_fields", "bad_key", "bad_size", "bad_class", "bad_date", "bad_flag"}

# What bins tell of sizes: a label, and the least and the most bytes of an object.
SIZES = [
    ("(not told)", 0, U64 - 1),
    ("0", 0, 0),
    ("<1KiB", 1, 1_023),
    ("<128KiB", 1_024, 131_071),
    ("<1MiB", 131_072, 1_048_575),
    ("<16MiB", 1_048_576, 16_777_215),
    ("<128MiB", 16_777_216, 134_217_727),
    ("<1GiB", 134_217_728, 1_073_741_823),
    ("<5GiB", 1_073_741_824, 5_368_709_119),
    (">=5GiB", 5_368_709_120, U64 - 1),
    ("(small)", 0, 131_071),
    ("(large)", 131_072, U64 - 1),
]
UNTOLD, BANDS, SMALL_OR_LARGE = 0, range(1, 10), (10, 11)
AGES = ["(not told)", "<30d", "<90d", "<180d", "<365d", "<730d", ">=730d"]
MARKER, LATEST_MARKER, FIRST_OF_OBJECTS = 0, 1, 2
BINS_OF_CLASS = 2 * len(SIZES) * len(AGES)


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
    need(trailer["version"] == VERSION, f"version {trailer['version']}")
    parts = sum(trailer[name] for name in ("pages_len", "directory_len", "root_len", "info_len"))
    trailer["tables_len"] = len(data) - (len(MAGIC) + parts + TRAILER)
    need(trailer["tables_len"] >= 0, "parts do not add up to the file")
    need(max(trailer["root_len"], trailer["root_raw_len"]) <= MAX_ROOT, "length of the root block")
    need(trailer["info_len"] <= MAX_INFO, "length of the info")
    return trailer


def is_number(value):
    return type(value) is int and 0 <= value < U64


def read_info(text):
    info = json.loads(text)
    need(info["kind"] in ("index", "segment", "run"), "kind")
    need(info["compression"] in ("zstd", "lz4"), "compression")
    names = info["classes"]
    need(len(names) <= MAX_CLASSES, "too many classes")
    need(names == [""] or all(1 <= len(name) <= 64 and set(name) <= NAME_CHARS for name in names), "name of a class")
    need(all(one < next for one, next in zip(names, names[1:])), "classes do not ascend")
    need(all(name in MEASURES for name in info["measures"] + info.get("unknown", [])), "measures")
    need(all(is_number(info[name]) for name in ("prefixes", "depth", "rows")), "numbers of the info")
    need(set(info["excluded"]) <= REASONS, "reasons of exclusion")
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
        for name in ("rows", "len", "raw_len", "pages_len", "max_objects", "max_bytes", "max_noncurrent"):
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
        need(page["rows"] * 2 <= page["raw_len"], "rows of a page")
    need(pages and pages[0]["first"] == block["first"], "first of a block")
    of_pages = {"rows": sum, "pages_len": sum, "max_objects": max, "max_bytes": max, "max_noncurrent": max}
    for name, joined in of_pages.items():
        need(joined(page[name] for page in pages) == block[name], f"{name} of a block")


def read_lots(raw, trailer, info):
    """What the root block says of lots, and where their pages and tables are."""
    source, lots, previous, at = Bytes(raw), [], b"", BUCKET
    while source.left():
        need(len(lots) < MAX_LOTS, "too many lots")
        shared = source.varint()
        need(shared <= len(previous), "a lot shares too much")
        lot = {"first": previous[:shared] + source.take(source.varint()), "at": at}
        lot |= {name: source.varint() for name in ("rows", "pages_len", "buckets", "seed")}
        need(is_prefix(lot["first"]), "a lot's first is no prefix")
        need(not lots or place(previous) < place(lot["first"]), "lots do not ascend")
        need(1 <= lot["rows"] <= MAX_LOT_ROWS and lot["pages_len"] > 0, "rows of a lot")
        need(lot["buckets"] <= 2 * lot["rows"], "buckets of a lot")
        lot["table_at"] = at + -(-lot["pages_len"] // BUCKET) * BUCKET
        at = lot["table_at"] + lot["buckets"] * BUCKET
        previous = lot["first"]
        lots.append(lot)
    need(sum(lot["rows"] for lot in lots) == info["prefixes"], "rows of the lots")
    need(sum(lot["pages_len"] for lot in lots) == trailer["pages_len"], "pages_len of the lots")
    need(at == len(MAGIC) + trailer["pages_len"] + trailer["tables_len"], "lots do not end where blocks begin")
    return lots


def read_root(data, trailer, info):
    """What the root block says of blocks, and of lots."""
    root_at = len(MAGIC) + trailer["pages_len"] + trailer["tables_len"] + trailer["directory_len"]
    root = data[root_at : root_at + trailer["root_len"]]
    need(checksum(root) == trailer["root_checksum"], "checksum of the root block")
    raw = Bytes(unpack("zstd", root, trailer["root_raw_len"]))
    if trailer["tables_len"] == 0:
        return read_entries(raw.data, MAX_ROOT_ENTRIES), None
    blocks = read_entries(raw.take(raw.varint()), MAX_ROOT_ENTRIES)
    return blocks, read_lots(raw.take(raw.left()), trailer, info)


def page_offset(before, lots):
    """Where a page is that has so many bytes of pages before it."""
    if lots is None:
        return len(MAGIC) + before
    for lot in lots:
        if before < lot["pages_len"]:
            return lot["at"] + before
        before -= lot["pages_len"]
    raise Damaged("a page behind the last lot")


def read_directory(data, trailer, info, blocks, lots):
    """Pages with their offsets."""
    blocks_at = len(MAGIC) + trailer["pages_len"] + trailer["tables_len"]
    need(sum(block["rows"] for block in blocks) == info["prefixes"], "rows of the blocks")
    need(sum(block["len"] for block in blocks) == trailer["directory_len"], "len of the blocks")
    need(sum(block["pages_len"] for block in blocks) == trailer["pages_len"], "pages_len of the blocks")
    before = 0
    for number, block in enumerate(blocks, 1):
        raw = unpack("zstd", stored_part(data, blocks_at, block, MAX_BLOCK_RAW, MAX_BLOCK_STORED), block["raw_len"])
        pages = read_entries(raw, MAX_BLOCK_ENTRIES)
        check_block(block, pages)
        need(len(pages) == MAX_BLOCK_ENTRIES or number == len(blocks), "a block that is not full")
        blocks_at += block["len"]
        for page in pages:
            yield page_offset(before, lots), page
            before += page["len"]


def is_marker(number):
    return number < FIRST_OF_OBJECTS


def parts(number):
    """Class, whether noncurrent, size and age of a bin of objects."""
    number, age = divmod(number - FIRST_OF_OBJECTS, len(AGES))
    number, size = divmod(number, len(SIZES))
    return number // 2, number % 2 == 1, size, age


def is_current(number):
    return not is_marker(number) and not parts(number)[1]


def read_sets(stream, classes):
    sets = []
    while stream.left():
        bins, after = [], 0
        for _ in range(stream.varint()):
            bins.append(after + stream.varint())
            after = bins[-1] + 1
            need(after <= FIRST_OF_OBJECTS + classes * BINS_OF_CLASS, "a bin that does not exist")
        sets.append(bins)
    return sets


def changed(moment, stream):
    code = stream.varint()
    amount = (code >> 2) * (1 if code & 2 else 1000)
    moment += -amount if code & 1 else amount
    need(0 <= moment <= MAX_MOMENT, "a moment that can't be")
    return moment


def read_dates(last_oldest, oldest_changes, spans):
    oldest = changed(last_oldest, oldest_changes)
    newest = changed(oldest, spans)
    need(oldest <= newest, "an oldest that is later than its newest")
    return oldest, newest


def read_plain_page(raw, count, info):
    """Rows, each with the size of the streams before it; and the size behind the last.

    The size of `sets` before a row is that of the sets that rows before it have named.
    """
    source = Bytes(raw)
    lengths = [source.varint() for _ in range(8)]
    streams = [Bytes(source.take(length)) for length in lengths]
    need(source.left() == 0, "bytes behind the streams of a page")
    lens, names, dictionary, ids, objects, sizes, oldest_changes, spans = streams
    sets = read_sets(dictionary, len(info["classes"]))
    set_sizes, named = [], 0
    sized, dated = "bytes" in info["measures"], "dates" in info["measures"]
    prefix, cells, last_oldest = b"", {}, 0
    rows = []
    for _ in range(count):
        size = sum(stream.at for stream in streams if stream is not dictionary) + sum(set_sizes)
        shared = lens.varint()
        need(shared <= len(prefix), "a prefix shares too much")
        prefix = prefix[:shared] + names.take(lens.varint())
        need(is_prefix(prefix), "a row that is no prefix")
        place_and_one = ids.varint()
        if place_and_one > 0:
            need(place_and_one - 1 <= named and place_and_one <= len(sets), "a set that is not there")
            bins = sets[place_and_one - 1]
            if place_and_one - 1 == named:
                named += 1
                set_sizes.append(encoded_size(bins))
            counts = [objects.varint() for _ in bins]
            cells = {n: (c, sizes.varint() if sized and not is_marker(n) else 0) for n, c in zip(bins, counts)}
        need(max(total(cells)) < U64, "sums that do not fit 64 bits")
        dates = None
        if dated and any(map(is_current, cells)):
            dates = read_dates(last_oldest, oldest_changes, spans)
            last_oldest = dates[0]
        rows.append((size, prefix, cells, dates))
    need(all(stream.left() == 0 for stream in streams), "streams that are not used up")
    need(named == len(sets), "a set that no row names")
    return rows, sum(lengths)


def encoded_size(bins):
    """The bytes of a set in the shortest form."""
    gaps = [number - after for number, after in zip(bins, [0] + [number + 1 for number in bins])]
    return sum(max(1, -(-value.bit_length() // 7)) for value in [len(bins)] + gaps)


def total(cells, which=lambda number: True):
    """Objects and bytes of the cells whose bin is one of these."""
    chosen = [cell for number, cell in cells.items() if which(number)]
    return sum(cell[0] for cell in chosen), sum(cell[1] for cell in chosen)


def is_noncurrent(number):
    return not is_marker(number) and parts(number)[1]


ADDED, SUM, ROW, TOLD, ROOT = range(5)


def read_packed_page(raw, count, info):
    """The same, where a row's size is what the text says of packed pages."""
    source = Bytes(raw)
    lengths = [source.varint() for _ in range(13)]
    streams = [Bytes(source.take(length)) for length in lengths]
    need(source.left() == 0, "bytes behind the streams of a page")
    groups, counts, shares, names, fixed, bins, sets, ids, objects, sizes, bits, oldest_changes, spans = streams
    parents, bare = read_groups(groups, counts, shares, names, fixed, count)
    places = read_packed_sets(bins, sets, count, len(info["classes"]))
    chosen = []
    for number in range(count):
        place_of_set = None if number in bare else ids.varint()
        need(place_of_set is None or place_of_set < len(places), "a set that is not there")
        chosen.append([] if place_of_set is None else places[place_of_set])
    rows = read_numbers(chosen, objects, sizes, bits, info)
    add_children(rows, parents)
    dated, last_oldest, size, result, previous = "dates" in info["measures"], 0, 0, [], None
    for (prefix, group, _), cells in zip(parents, rows):
        need(max(total(cells)) < U64, "sums that do not fit 64 bits")
        dates = None
        if dated and any(map(is_current, cells)):
            dates = read_dates(last_oldest, oldest_changes, spans)
            last_oldest = dates[0]
        result.append((size, prefix, cells, dates))
        parent, name = place(prefix)
        size += 8 + len(name) + 8 * len(cells) + (len(parent) // 4 if group != previous else 0)
        previous = group
    need(all(stream.left() == 0 for stream in streams), "streams that are not used up")
    return result, size


def read_groups(groups, counts, shares, names, fixed, count):
    """For each row its prefix, the number of its group, and the row that its cells are added to; and the rows
    that have nothing besides what is added."""
    rows, bare, candidates, told, number, length = [], set(), [], b"", 0, 0
    while len(rows) < count:
        passed, kind = divmod(groups.varint(), 8)
        need(kind <= ROOT, "a kind of group that is not there")
        need(passed <= len(candidates), "a candidate that is not there")
        del candidates[:passed]
        to, first = None, len(rows)
        if kind == ROOT:
            rows.append((b"", number, None))
        else:
            if kind == TOLD:
                shared = groups.varint()
                need(shared <= len(told), "a parent shares too much")
                parent = told = told[:shared] + names.take(groups.varint())
                need(is_prefix(parent), "a parent that is no prefix")
            else:
                need(candidates, "a candidate that is not there")
                parent = rows[candidates[0]][0]
                to = None if kind == ROW else candidates[0]
                bare |= {candidates[0]} if kind == SUM else set()
                del candidates[0]
            length += len(parent)
            for name in read_names(counts, shares, names, fixed):
                need(is_prefix(parent + name), "a row that is no prefix")
                rows.append((parent + name, number, to))
        candidates[:0] = range(first, len(rows))
        number += 1
    need(len(rows) == count, "groups of more rows than the page has")
    need(length <= MAX_PAGE_PARENTS, "parents that are too long")
    need(sum(len(place(row[0])[1]) for row in rows) <= MAX_PAGE_NAMES, "names that are too long")
    return rows, bare


def read_names(counts, shares, names, fixed):
    more, by_place = divmod(counts.varint(), 2)
    if by_place:
        length = counts.varint()
        need(length > 0, "names of no bytes")
        columns = [fixed.take(more + 1) for _ in range(length)]
        need(not any(b"/" in column for column in columns), "a name in two parts")
        return [bytes(name) + b"/" for name in zip(*columns)]
    result, last = [], b""
    for _ in range(more + 1):
        shared = shares.varint()
        need(shared < len(last) or shared == 0, "a name shares too much")
        end = names.data.find(b"/", names.at)
        need(end >= 0, "a name without an end")
        last = last[:shared] + names.take(end + 1 - names.at)
        result.append(last)
    return result


def read_packed_sets(bins, sets, rows, classes):
    known, after = [], 0
    while bins.left():
        known.append(after + bins.varint())
        after = known[-1] + 1
        need(after <= FIRST_OF_OBJECTS + classes * BINS_OF_CLASS, "a bin that does not exist")
    count = sets.varint()
    need(count <= rows, "more sets than rows")
    depth = next(depth for depth in range(6) if 8**depth >= len(known))
    depth = max(depth, 1) if known else 0
    found = [[0] for _ in range(count)]
    for _ in range(depth):
        masks = [[sets.take(1)[0] for _ in places] for places in found]
        found = [
            [8 * at + bit for at, mask in zip(places, row) for bit in range(8) if mask >> bit & 1]
            for places, row in zip(found, masks)
        ]
    found = found if depth else [[] for _ in found]
    need(all(at < len(known) for places in found for at in places), "a bin that the page does not have")
    return [[known[at] for at in places] for places in found]


def number_of(symbol, bits):
    if symbol < 4:
        return symbol
    need(symbol < 252, "a symbol that is not there")
    open_bits = symbol // 4 - 1
    return (4 + symbol % 4 << open_bits) + bits.take(open_bits)


class Bits:
    def __init__(self, data):
        self.value, self.left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count):
        need(count <= self.left, "bits end early")
        result = self.value % 2**count
        self.value >>= count
        self.left -= count
        return result


def read_numbers(chosen, objects, sizes, stream, info):
    """Cells of rows with these bins: symbols stand by bin, bits by row."""
    need(sum(map(len, chosen)) <= MAX_PAGE_CELLS, "too many cells")
    order = sorted({number for bins in chosen for number in bins})
    column = {number: sum(number in bins for bins in chosen) for number in order}
    symbols = {number: Bytes(objects.take(column[number])) for number in order}
    sized = [number for number in order if "bytes" in info["measures"] and not is_marker(number)]
    size_symbols = {number: Bytes(sizes.take(column[number])) for number in sized}
    bits, rows = Bits(stream.take(stream.left())), []
    for bins in chosen:
        cells = {}
        for number in bins:
            amount, size = number_of(symbols[number].take(1)[0], bits), 0
            if number in size_symbols:
                expected = 4 * max(amount.bit_length() - 1, 0)
                size = number_of((size_symbols[number].take(1)[0] + expected) % 256, bits)
            cells[number] = amount, size
        rows.append(cells)
    need(bits.left < 8 and bits.value == 0, "bits that are not used up")
    return rows


def add_children(rows, parents):
    cells = sum(map(len, rows))
    for number in range(len(rows) - 1, -1, -1):
        to = parents[number][2]
        if to is not None:
            for where, (objects, size) in rows[number].items():
                before = rows[to].get(where, (0, 0))
                rows[to][where] = before[0] + objects, before[1] + size
    for to in {to for _, _, to in parents if to is not None}:
        cells += len(rows[to])
        rows[to] = dict(sorted(rows[to].items()))
    need(cells <= MAX_PAGE_CELLS, "too many cells")


def read_page(raw, count, info):
    read = read_plain_page if info["compression"] == "lz4" else read_packed_page
    return read(raw, count, info)


def ends_before(size, prefix, info):
    """Where pages end."""
    low, most = checksum(prefix), 65_536 if info["compression"] == "lz4" else 262_144
    return size >= most or (size >= most // 2 and low % 2**10 == 0) or low % 2**14 == 0


def read_rows(data, trailer, info, blocks, lots):
    last, last_size = None, 0
    for at, page in read_directory(data, trailer, info, blocks, lots):
        stored = stored_part(data, at, page, MAX_PAGE_RAW, MAX_PAGE_STORED)
        raw = unpack(info["compression"], stored, page["raw_len"])
        rows, size = read_page(raw, page["rows"], info)
        need(rows[0][1] == page["first"], "first of a page")
        current = [total(cells, is_current) for _, _, cells, _ in rows]
        noncurrent = [total(cells, is_noncurrent) for _, _, cells, _ in rows]
        need(max(objects for objects, _ in current) == page["max_objects"], "max_objects of a page")
        need(max(length for _, length in current) == page["max_bytes"], "max_bytes of a page")
        need(max(length for _, length in noncurrent) == page["max_noncurrent"], "max_noncurrent of a page")
        need(last is None or ends_before(last_size, rows[0][1], info), "a page that ends too early")
        need(not any(ends_before(before, prefix, info) for before, prefix, _, _ in rows[1:]), "a page that ends too late")
        last_size = size
        for _, prefix, cells, dates in rows:
            need(last is None or last < place(prefix), "rows do not ascend")
            last = place(prefix)
            yield prefix, (cells, dates)


def address(prefix, lot):
    """The print of a prefix, and its buckets."""
    both = xxhash.xxh3_128_intdigest(prefix)
    if lot["seed"] > 0:
        both = xxhash.xxh3_128_intdigest(both.to_bytes(16, "little"), lot["seed"])
    low, high, count = both % U64, both // U64, lot["buckets"]
    first = (high // 2**32) * count // 2**32
    reach = min(REACH, count // 2)
    by = 1 + (high % 2**32) * reach // 2**32 if reach else 0
    return low // 16, first, first + by if first + by < count else first - by


def read_bucket(data):
    """Its entries: for each print the bytes of a row, or nothing if it is in its page."""
    need(checksum(data[4:]) % 2**32 == int.from_bytes(data[:4], "little"), "checksum of a bucket")
    source, entries = Bytes(data[4:]), {}
    heads = [source.number(8) for _ in range(source.take(1)[0])]
    for print_, kind in (divmod(head, 16) for head in heads):
        need(print_ not in entries, "a print that is twice in a bucket")
        length = source.take(1)[0] if kind == LONG else kind
        entries[print_] = None if kind == ELSEWHERE else source.take(length)
    need(not any(source.take(source.left())), "something behind the rows of a bucket")
    return entries


def place_of_bin(number, info):
    if number < FIRST_OF_OBJECTS or "age" in info["measures"]:
        return number
    whole, rest = divmod(number - FIRST_OF_OBJECTS, len(AGES))
    return FIRST_OF_OBJECTS + whole if rest == 0 else None


def read_brief(raw, info):
    """Cells by the place of their bin, and dates."""
    source, dates, cells, after = Bytes(raw), None, {}, 0
    if "dates" in info["measures"]:
        if raw[:1] == b"\x01":
            source.take(1)
        else:
            oldest = changed(0, source)
            dates = oldest, changed(oldest, source)
    while source.left():
        code = source.varint()
        where = after + code // 2
        after = where + 1
        objects = source.varint() if code % 2 else 1
        sized = "bytes" in info["measures"] and where >= FIRST_OF_OBJECTS
        cells[where] = objects, source.varint() if sized else 0
    return cells, dates


def check_row(prefix, row, entry, info):
    cells, dates = row
    places = {place_of_bin(number, info): cell for number, cell in cells.items()}
    if entry is not None:
        need(len(entry) <= MAX_ROW, "a row that is too long for a bucket")
        need(read_brief(entry, info) == (places, dates), f"{prefix!r} is another row in its table")


def check_tables(data, lots, rows, info):
    """Every row is in its table, and nothing else is; lots end where the text says."""
    need(not any(data[len(MAGIC) : BUCKET]), "something before the first lot")
    rest = iter(rows.items())
    for nth, lot in enumerate(lots):
        need(not any(data[lot["at"] + lot["pages_len"] : lot["table_at"]]), "something before a table")
        table = data[lot["table_at"] :][: lot["buckets"] * BUCKET]
        buckets = [read_bucket(table[at : at + BUCKET]) for at in range(0, len(table), BUCKET)]
        for number in range(lot["rows"]):
            prefix, row = next(rest)
            need(number > 0 or prefix == lot["first"], "a lot that does not begin with its first")
            need(number == 0 or checksum(prefix) % 2**14 != 0, "a lot that ends too late")
            if lot["buckets"]:
                print_, first, second = address(prefix, lot)
                found = [at for at in sorted({first, second}) if print_ in buckets[at]]
                need(len(found) == 1, f"{prefix!r} is not once in its table")
                check_row(prefix, row, buckets[found[0]].pop(print_), info)
        need(not any(buckets), "an entry of no row")
        full = nth > 0 and lots[nth - 1]["rows"] >= LOT_ROWS
        need(nth == 0 or full or checksum(lot["first"]) % 2**14 == 0, "a lot that begins too early")


def check_bin(number, info):
    """A bin tells what is measured, and nothing else."""
    measured = set(info["measures"])
    if is_marker(number):
        need("noncurrent" in measured, "delete markers that are not measured")
        return
    place_of_class, noncurrent, size, age = parts(number)
    need(not noncurrent or "noncurrent" in measured, "noncurrent objects that are not measured")
    need((info["classes"][place_of_class] != "") == ("classes" in measured), "a class that is not measured, or not told")
    need((age != 0) == (not noncurrent and "age" in measured), "an age that is not measured, or not told")
    need((size in BANDS) == (not noncurrent and "size" in measured), "a size that is not measured, or not told")
    need(size not in SMALL_OR_LARGE or "cost" in measured, "a cost that is not measured")


def check_size(number, cell, what):
    objects, size = cell
    _, least, most = (None, 0, 0) if is_marker(number) else SIZES[parts(number)[2]]
    need(objects * least <= size <= objects * most, f"{what} has bytes that its size can't have")


def check_children(rows, prefix, children, info):
    cells, dates = rows[prefix]
    need(all(number in cells for child in children for number in rows[child][0]), f"a bin that {prefix!r} lacks")
    own_current = 0
    for number, (objects, size) in cells.items():
        below = [rows[child][0].get(number, (0, 0)) for child in children]
        own = objects - sum(cell[0] for cell in below), size - sum(cell[1] for cell in below)
        need(min(own) >= 0, f"children of {prefix!r} hold more than it does")
        need(own[0] > 0 or own[1] == 0, f"{prefix!r} has bytes of no object")
        if "bytes" in info["measures"]:
            check_size(number, (objects, size), repr(prefix))
            check_size(number, own, f"what lies in {prefix!r}")
        own_current += own[0] if is_current(number) else 0
    if dates is not None:
        below = [rows[child][1] for child in children if rows[child][1] is not None]
        need(all(dates[0] <= oldest and newest <= dates[1] for oldest, newest in below), f"dates below {prefix!r}")
        missing = {dates[0]} - {oldest for oldest, _ in below} | {dates[1]} - {newest for _, newest in below}
        need(own_current >= len(missing), f"{prefix!r} has dates of no object")


def verify(rows, info):
    need(b"" in rows, "no root")
    children = {}
    for prefix, (cells, _) in rows.items():
        need(prefix == b"" or cells, f"{prefix!r} has no cell")
        need(all(objects > 0 for objects, _ in cells.values()), f"{prefix!r} has a cell without objects")
        for number in cells:
            check_bin(number, info)
        if prefix != b"":
            need(place(prefix)[0] in rows, f"the parent of {prefix!r} is missing")
            children.setdefault(place(prefix)[0], []).append(prefix)
    for prefix in rows:
        check_children(rows, prefix, children.get(prefix, []), info)
    root, excluded = rows[b""][0], info["excluded"]
    need(info["rows"] - sum(excluded.values()) == total(root, is_current)[0], "rows less excluded ones")
    for reason, which in (("noncurrent", is_noncurrent), ("delete_marker", is_marker)):
        known = excluded.get(reason, 0) if "noncurrent" in info["measures"] else 0
        need(total(root, which)[0] == known, f"rows excluded as {reason}")


class Sums:
    """Sums of cells, as JSON has them."""

    def __init__(self, cells, info):
        self.cells, self.classes, self.sized = cells, info["classes"], "bytes" in info["measures"]

    def of(self, which):
        objects, size = total(self.cells, which)
        return {"objects": objects, "bytes": size if self.sized else None}

    def by_class(self, which):
        chosen = [number for number in self.cells if which(number)]
        used = sorted({parts(number)[0] for number in chosen})
        return {self.classes[at]: self.of(lambda n: which(n) and parts(n)[0] == at) for at in used}

    def by_age(self):
        return {AGES[at]: self.of(lambda n: is_current(n) and parts(n)[3] == at) for at in range(1, len(AGES))}

    def by_size(self):
        return {SIZES[at][0]: self.of(lambda n: is_current(n) and parts(n)[2] == at) for at in BANDS}


def as_text(moment):
    """RFC 3339, with milliseconds if there are some."""
    seconds, ms = divmod(moment, 1000)
    text = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat()
    return text + (f".{ms:03}Z" if ms else "Z")


def as_json(prefix, cells, dates, info):
    known, sums = set(info["measures"]), Sums(cells, info)
    try:
        row = {"prefix": prefix.decode()}
    except UnicodeDecodeError:
        row = {"prefix_b64": base64.b64encode(prefix).decode()}
    row |= {"depth": prefix.count(b"/")} | sums.of(is_current)
    row["classes"] = sums.by_class(is_current) if "classes" in known else None
    row["noncurrent"] = row["delete_markers"] = row["latest_delete_markers"] = None
    if "noncurrent" in known:
        classes = sums.by_class(is_noncurrent) if "classes" in known else None
        row["noncurrent"] = sums.of(is_noncurrent) | {"classes": classes}
        row["delete_markers"] = total(cells, is_marker)[0]
        row["latest_delete_markers"] = cells.get(LATEST_MARKER, (0, 0))[0]
    oldest, newest = (None, None) if dates is None else map(as_text, dates)
    row |= {"newest": newest, "oldest": oldest}
    row["age"] = sums.by_age() if "age" in known else None
    row["size"] = sums.by_size() if "size" in known else None
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def read(data):
    """The info, and cells and dates of each prefix, in their order, when everything has been checked."""
    trailer = read_trailer(data)
    info_text = data[-TRAILER - trailer["info_len"] : -TRAILER]
    need(checksum(info_text) == trailer["info_checksum"], "checksum of the info")
    info = read_info(info_text)
    blocks, lots = read_root(data, trailer, info)
    rows = dict(read_rows(data, trailer, info, blocks, lots))
    need(len(rows) == info["prefixes"], "prefixes")
    if lots is not None:
        check_tables(data, lots, rows, info)
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
    for prefix, (cells, dates) in rows.items():
        print(as_json(prefix, cells, dates, info))


if __name__ == "__main__":
    main()
