"""Reads a statement as Athena's grammar has it: read_ddl.py SQL. Prints what it creates as JSON."""

import json
import sys

import sqlglot
from sqlglot import exp

statement = sqlglot.parse_one(sys.argv[1], dialect="athena")
assert isinstance(statement, exp.Create) and statement.kind == "TABLE", statement
assert statement.find(exp.ExternalProperty), "the table would be Athena's own"
print(json.dumps({
    "table": statement.this.this.name,
    "columns": [[column.name, column.kind.sql(dialect="athena")] for column in statement.this.expressions],
    "format": statement.find(exp.FileFormatProperty).this.name,
    "location": statement.find(exp.LocationProperty).this.name,
}))
