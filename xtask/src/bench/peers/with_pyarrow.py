"""Reads the columns of ORC files that an index is made of, on one thread, and does nothing with them:
with_pyarrow.py SOURCE OUT, of which OUT is not written."""

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import orc

from inventory import Clock, Inventory, tell

pa.set_cpu_count(1)
pa.set_io_thread_count(1)
inventory = Inventory()
sizes = []
clock = Clock()
for path in inventory.files:
    table = orc.ORCFile(path).read(columns=["key", "size", "storage_class", "intelligent_tiering_access_tier"])
    sizes.append(table["size"])
clock.stop()
total = sum(pc.sum(size).as_py() for size in sizes)
tell(clock, f"PyArrow {pa.__version__}", sum(map(len, sizes)), None, total)
