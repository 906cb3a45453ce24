"""Asks DuckDB: ask.py SQL. Prints each row as a JSON list."""

import json
import sys

import duckdb

for row in duckdb.sql(sys.argv[1]).fetchall():
    print(json.dumps(row))
