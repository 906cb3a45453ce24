"""Reads and checks an export in ncdu's binary format: read_ncdu.py FILE.

Prints how many blocks it has; then each directory before those in it, as a JSON list of its full name in hexadecimal,
the objects that the names of files tell, and its bytes.
"""

import io
import json
import re
import struct
import sys

import cbor2
import zstandard

TYPE, NAME, PREV, ASIZE, DSIZE, DEV, CUMASIZE, CUMDSIZE, ITEMS, SUB = 0, 1, 2, 3, 4, 5, 7, 8, 11, 12
DIRECTORY, FILE = 0, 1
KEYS = {
    DIRECTORY: ({TYPE, NAME, CUMASIZE, CUMDSIZE, ITEMS}, {PREV, SUB, DEV}),
    FILE: ({TYPE, NAME, ASIZE, DSIZE}, {PREV}),
}
LARGEST = (1 << 24) - 1


def blocks(file):
    """Types and contents of all blocks, each with its offset and length."""
    assert file[:8] == b"\xbfncduEX1", file[:8]
    at = 8
    while at < len(file):
        (head,) = struct.unpack_from(">I", file, at)
        length = head & 0x0FFFFFFF
        assert file[at + length - 4 : at + length] == file[at : at + 4], f"block at {at}: its end is not its beginning"
        yield head >> 28, at, length, file[at + 4 : at + length - 4]
        at += length
    assert at == len(file), "the last block is cut off"


def items_of(number, compressed):
    """The items of a block by their places."""
    assert 0 < zstandard.frame_content_size(compressed) <= LARGEST
    raw = zstandard.ZstdDecompressor().decompress(compressed)
    stream = io.BytesIO(raw)
    decoder = cbor2.CBORDecoder(stream, allow_duplicate_keys=False)
    while stream.tell() < len(raw):
        place = number << 24 | stream.tell()
        yield place, decoder.decode()


def read(path):
    """All items by their places, the place of the root, and the number of blocks."""
    with open(path, "rb") as opened:
        *data, last = blocks(opened.read())
    pointers, items = [], {}
    for number, (kind, at, length, content) in enumerate(data):
        assert kind == 0 and length <= LARGEST and struct.unpack_from(">I", content) == (number,), f"block {number}"
        pointers.append(at << 24 | length)
        items.update(items_of(number, content[4:]))
    kind, _, _, index = last
    assert kind == 1, "the last block is not the index"
    *told, root = struct.unpack(f">{len(index) // 8}Q", index)
    assert told == pointers, "the index does not say where blocks are"
    return items, root, len(data)


def check_item(place, item):
    needed, known = KEYS[item[TYPE]]
    assert needed <= item.keys() <= needed | known, (place, item)
    assert isinstance(item[NAME], bytes) and item[NAME] and 0 not in item[NAME], (place, item)
    for key in item.keys() - {TYPE, NAME, PREV, SUB}:
        assert 0 <= item[key] < 1 << 64, (place, item)


def referred(place, item, key, seen):
    """The place of another item, which comes before this one and which no other one refers to."""
    to = item.get(key)
    if to is None:
        return None
    to = place + to if to < 0 else to
    assert to < place and to not in seen, (place, item)
    seen.add(to)
    return to


def children_of(items, seen):
    """The places of what is in each directory, in the order in which it was written."""
    prev = {place: referred(place, item, PREV, seen) for place, item in items.items()}
    found = {}
    for place, item in items.items():
        child, children = referred(place, item, SUB, seen), []
        while child is not None:
            children.append(child)
            child = prev[child]
        found[place] = children[::-1]
    return found


def check_sums(place, items, children):
    """What a directory tells is what is in it: items come after what they refer to, so that is right already."""
    total = [0, 0, 0]
    for child in map(items.get, children[place]):
        sizes = (CUMASIZE, CUMDSIZE) if child[TYPE] == DIRECTORY else (ASIZE, DSIZE)
        total = [total[0] + child[sizes[0]], total[1] + child[sizes[1]], total[2] + 1 + child.get(ITEMS, 0)]
    directory = items[place]
    assert [directory[key] for key in (CUMASIZE, CUMDSIZE, ITEMS)] == total, (place, directory, total)


def objects_of(items, children):
    """The objects in each item, at any depth."""
    objects = {}
    for place, item in items.items():
        if item[TYPE] == FILE:
            objects[place] = int(re.fullmatch(rb"\(([\d,]+) objects(, here and below)?\)", item[NAME])[1].replace(b",", b""))
        else:
            objects[place] = sum(objects[child] for child in children[place])
    return objects


def main(path):
    items, root, count = read(path)
    seen = {root}
    children = children_of(items, seen)
    assert seen == items.keys(), "what refers to these?"
    for place, item in items.items():
        check_item(place, item)
        assert (DEV in item) == (place == root), (place, item)
        names = [items[child][NAME] for child in children[place]]
        assert len(set(names)) == len(names), names
        if item[TYPE] == DIRECTORY:
            check_sums(place, items, children)
    objects = objects_of(items, children)
    print(count)
    stack = [(root, b"")]
    while stack:
        place, parent = stack.pop()
        item = items[place]
        if item[TYPE] == DIRECTORY:
            # That is how an empty name is shown.
            name = b"" if parent and item[NAME] == "\u2215".encode() else item[NAME]
            full = parent + name + b"/"
            print(json.dumps([full.hex(), objects[place], item[CUMASIZE]]))
            stack.extend((child, full) for child in reversed(children[place]))


main(sys.argv[1])
