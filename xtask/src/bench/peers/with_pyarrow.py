"""Reads the columns of ORC files that an index is made of, on one thread, and does nothing with them:
with_pyarrow.py SOURCE OUT, of which OUT is not written."""

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import orc

from inventory import Clock, Inventory, tell

pa.set_cpu_count(1)
pa.set_io_thread_count(1)
inventory = Inventory()
rows = total = 0
seconds = 0.0
for path in inventory.files:
    clock = Clock()
    table = orc.ORCFile(path).read(columns=["key", "size", "storage_class", "intelligent_tiering_access_tier"])
    clock.stop()
    seconds += clock.seconds
    rows += table.num_rows
    total += pc.sum(table["size"]).as_py()
    del table
clock.seconds = seconds
tell(clock, f"PyArrow {pa.__version__}", rows, None, total)
