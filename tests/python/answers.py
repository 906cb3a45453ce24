"""What SQL says of exported tables: answers.py OLD NEW QUESTIONS, two Parquet files and a JSON list of questions.

Prints an answer to each as a line of JSON, in the form of the command line's, without what tables don't tell: cost, dates.
All that is asked of DuckDB is SQL over rows; only which prefixes `top` shows is worked out here, as its definition says.
"""

import functools
import itertools
import json
import math
import sys

import duckdb

MORE = ("prefixes", "objects", "bytes", "share")
ORDER = {"bytes": "bytes DESC, prefix", "objects": "objects DESC, prefix", "name": "parent, prefix"}


def load(name, path):
    duckdb.sql(f"""
        CREATE TABLE {name} AS
        SELECT *, prefix = '' AS is_root, regexp_replace(prefix, '[^/]*/$', '') AS parent FROM '{path}'""")


def rows(sql, **values):
    return duckdb.execute(sql, values or None).fetchall()


def dicts(sql, **values):
    result = duckdb.execute(sql, values or None)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def partial(prefix):
    return prefix != "" and not prefix.endswith("/")


def scope_of(table, prefix, objects="objects", bytes="bytes"):
    """A view of what is below a prefix, with levels counted from there; and the sums of the scope."""
    base = prefix.count("/")
    duckdb.execute(f"""
        CREATE OR REPLACE TEMP TABLE below AS
        SELECT prefix, parent, depth - {base} AS level, {objects} AS objects, {bytes} AS bytes FROM {table}
        WHERE starts_with(prefix, $p) AND prefix <> $p""", {"p": prefix})
    if partial(prefix):
        return rows("SELECT sum(objects)::BIGINT, sum(bytes)::BIGINT FROM below WHERE level = 1")[0]
    return rows(f"SELECT {objects}, {bytes} FROM {table} WHERE prefix = $p", p=prefix)[0]


def part(objects, bytes, whole, sort="bytes"):
    """Shares are told to a millionth: of objects, where these are sorted by, else of bytes."""
    share, total = (objects, whole[0]) if sort == "objects" else (bytes, whole[1])
    return {"objects": objects, "bytes": bytes, "share": round(share / total, 6) if total else None}


def ls(prefix, depth=1, sort="bytes", limit=1 << 40, min_bytes=0, min_objects=0, of_class=None, like="%"):
    columns = {"objects": f"objects_{of_class}", "bytes": f"bytes_{of_class}"} if of_class else {}
    total = scope_of("new", prefix, **columns)
    duckdb.execute("CREATE OR REPLACE TEMP VIEW listed AS SELECT * FROM below WHERE level <= " + str(depth)
                   + (" AND (objects > 0 OR bytes > 0)" if of_class else ""))
    duckdb.execute(f"""
        CREATE OR REPLACE TEMP TABLE shown AS SELECT row_number() OVER () AS place, *
        FROM (
            SELECT prefix, objects, bytes FROM listed
            WHERE bytes >= $least AND objects >= $fewest AND substr(prefix, length(parent) + 1) LIKE $like
            ORDER BY {ORDER[sort]} LIMIT {limit})""", {"least": min_bytes, "fewest": min_objects, "like": like + "/"})
    shown = dicts("SELECT * FROM shown ORDER BY place")
    more = rows("""
        SELECT count(*), coalesce(sum(objects) FILTER (level = 1), 0)::BIGINT, coalesce(sum(bytes) FILTER (level = 1), 0)::BIGINT
        FROM listed ANTI JOIN shown USING (prefix)""")[0]
    within = rows("SELECT coalesce(sum(objects), 0)::BIGINT, coalesce(sum(bytes), 0)::BIGINT FROM below WHERE level = 1")[0]
    return {
        "prefix": prefix,
        "partial": partial(prefix),
        "prefixes": [{"prefix": row["prefix"], **part(row["objects"], row["bytes"], total, sort)} for row in shown],
        "more": {"prefixes": more[0], **part(*more[1:], total, sort)},
        "directly": None if partial(prefix) else part(total[0] - within[0], total[1] - within[1], total, sort),
        "total": part(*total, total, sort),
    }


def tree(prefix, depth=2, limit=10):
    whole = scope_of("new", prefix)
    children = {}
    # Names that begin with a partial prefix are its children, though their parent is another one.
    for row in dicts(f"""
        SELECT *, row_number() OVER family <= {limit} AS is_shown
        FROM (SELECT * REPLACE (CASE WHEN level = 1 THEN $p ELSE parent END AS parent) FROM below WHERE level <= {depth})
        WINDOW family AS (PARTITION BY parent ORDER BY bytes DESC, prefix) ORDER BY parent, bytes DESC, prefix""", p=prefix):
        children.setdefault(row["parent"], []).append(row)

    def sums(family):
        return sum(row["objects"] for row in family), sum(row["bytes"] for row in family)

    def node(name, objects, bytes, levels):
        told = {"prefix": name, **part(objects, bytes, whole)}
        if levels == 0:
            return told
        family = children.get(name, [])
        shown, others = [row for row in family if row["is_shown"]], [row for row in family if not row["is_shown"]]
        within = sums(family)
        return told | {
            "children": [node(row["prefix"], row["objects"], row["bytes"], levels - 1) for row in shown],
            "more": {"prefixes": len(others), **part(*sums(others), whole)},
            "directly": None if partial(name) else part(objects - within[0], bytes - within[1], whole),
        }

    return {"partial": partial(prefix), **node(prefix, *whole, depth)}


def shares(candidates, by, is_shown):
    """What each prefix counts for that is shown, told from the deepest ones up."""
    counted, found = {}, []
    for place, row in sorted(candidates, key=lambda candidate: -candidate[1]["depth"]):
        share = row[by] - counted.get(row["prefix"], 0)
        if is_shown(share, place):
            found.append((-share, place))
            parts = row["prefix"].split("/")[:-1]
            for end in range(len(parts)):
                above = "".join(part + "/" for part in parts[:end])
                counted[above] = counted.get(above, 0) + share
    return sorted(found)


def least(low, high, holds):
    """The least number for which this holds."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def shown_by_threshold(ranked, by, limit):
    """Those that count for a threshold or more, the least one at which they are not too many; and of those that count for
    one less, as many as there is room for."""
    largest = sorted(enumerate(ranked), key=lambda candidate: -candidate[1][by])

    def at(threshold, first=-1):
        candidates = itertools.takewhile(lambda candidate: candidate[1][by] >= threshold - 1, largest)
        return shares(candidates, by, lambda share, place: share >= threshold or share == threshold - 1 and place <= first)

    threshold = least(1, max((row[by] for row in ranked), default=0) + 1, lambda threshold: len(at(threshold)) <= limit)
    if threshold == 1:
        return at(1)
    first = least(0, len(ranked), lambda first: len(at(threshold, first)) > limit)
    return at(threshold, first - 1)


@functools.cache
def in_order(prefix):
    """Prefixes in the order of an index."""
    return dicts(
        "SELECT prefix, depth, objects, bytes FROM new WHERE starts_with(prefix, $p) ORDER BY NOT is_root, parent, prefix", p=prefix
    )


def top(prefix, limit=20, by="bytes", all=False):
    total = scope_of("new", prefix)[by == "bytes"]
    ranked = in_order(prefix)
    if all:
        order = sorted(range(len(ranked)), key=lambda place: (-ranked[place][by], place))
        shown = [(-ranked[place][by], place) for place in order[:limit] if ranked[place][by] > 0]
    else:
        shown = shown_by_threshold(ranked, by, limit)
    prefixes = [{**ranked[place], "counts_for": -share, "share": round(-share / total, 6)} for share, place in shown]
    rest = None if all else total - sum(row["counts_for"] for row in prefixes)
    return {"prefix": prefix, "partial": partial(prefix), "by": by, "all": all, "total": total, "rest": rest, "prefixes": prefixes}


def halves(table, base, levels):
    """Parts of one side: whole prefixes of a level, and what lies directly in those above it."""
    return f"""
        SELECT prefix, parent, is_root, false AS direct, objects, bytes, false AS has_children FROM {table}
        WHERE starts_with(prefix, $p) AND depth = {base + levels}
        UNION ALL
        SELECT a.prefix, any_value(a.parent), any_value(a.is_root), true, any_value(a.objects) - coalesce(sum(b.objects), 0)::BIGINT,
               any_value(a.bytes) - coalesce(sum(b.bytes), 0)::BIGINT, count(b.prefix) > 0
        FROM {table} a LEFT JOIN {table} b ON b.parent = a.prefix AND NOT b.is_root
        WHERE starts_with(a.prefix, $p) AND a.depth < {base + levels} GROUP BY a.prefix"""


def measured(old, new):
    difference = new - old
    rounded = math.copysign(math.floor(abs(difference / old) * 1e6 + 0.5) / 1e6, difference) if old else None
    return {"old": old, "new": new, "difference": difference, "change": rounded}


def change(prefix, directly, by, old, new):
    objects, bytes = (measured((old or (0, 0))[at], (new or (0, 0))[at]) for at in (0, 1))
    difference = (bytes if by == "bytes" else objects)["difference"]
    kind = "came" if old is None else "went" if new is None else "same" if difference == 0 else "grew" if difference > 0 else "shrank"
    return {"prefix": prefix, "directly": directly, "change": kind, "objects": objects, "bytes": bytes}


def diff(prefix, depth=1, limit=20, by="bytes"):
    base = prefix.count("/")
    deepest = rows("SELECT max(depth) FROM (SELECT depth FROM old UNION ALL SELECT depth FROM new)")[0][0]
    levels = max(1, min(depth, deepest - base))
    duckdb.execute(f"""
        CREATE OR REPLACE TEMP TABLE changed AS
        SELECT coalesce(o.prefix, n.prefix) AS prefix, coalesce(o.parent, n.parent) AS parent,
               coalesce(o.is_root, n.is_root) AS is_root, o.prefix IS NULL AS came, n.prefix IS NULL AS went,
               coalesce(o.has_children, false) OR coalesce(n.has_children, false) AS directly,
               coalesce(o.objects, 0) AS o1, coalesce(o.bytes, 0) AS o2, coalesce(n.objects, 0) AS n1, coalesce(n.bytes, 0) AS n2
        FROM ({halves("old", base, levels)}) o FULL JOIN ({halves("new", base, levels)}) n USING (prefix, direct)
        WHERE (o1, o2) <> (n1, n2)""", {"p": prefix})
    size = "abs(n2 - o2)" if by == "bytes" else "abs(n1 - o1)"
    shown = dicts(f"SELECT * FROM changed ORDER BY {size} DESC, NOT is_root, parent, prefix LIMIT {limit}")
    whole = [scope_of(table, prefix) if exists(table, prefix) else None for table in ("old", "new")]

    def told(row):
        old, new = (row["o1"], row["o2"]), (row["n1"], row["n2"])
        return change(row["prefix"], row["directly"], by, None if row["came"] else old, None if row["went"] else new)

    all_of_them = rows("SELECT count(*), coalesce(sum(n1 - o1), 0)::BIGINT, coalesce(sum(n2 - o2), 0)::BIGINT FROM changed")[0]
    told_of_them = [1 for _ in shown], [row["n1"] - row["o1"] for row in shown], [row["n2"] - row["o2"] for row in shown]
    return {
        "partial": partial(prefix),
        "by": by,
        "depth": depth,
        "total": change(prefix, False, by, *whole),
        "changes": [told(row) for row in shown],
        "more": {name: whole - sum(parts) for name, whole, parts in zip(("parts", "objects", "bytes"), all_of_them, told_of_them)},
    }


def exists(table, prefix):
    return rows(f"SELECT count(*) FROM {table} WHERE {'starts_with(prefix, $p)' if partial(prefix) else 'prefix = $p'}", p=prefix)[0][0] > 0


load("old", sys.argv[1])
load("new", sys.argv[2])
ASKED = {"ls": ls, "tree": tree, "top": top, "diff": diff}
with open(sys.argv[3]) as questions:
    for question in json.load(questions):
        print(json.dumps(ASKED[question.pop("ask")](**question)))
