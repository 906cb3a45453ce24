"""What the peers share: where an inventory's data files are, and what they print in the end."""

import json
import sys
import time


class Inventory:
    """The one that the first argument names; the second is where the table goes."""

    def __init__(self):
        self.folder, self.out = sys.argv[1:]
        with open(f"{self.folder}/manifest.json") as file:
            manifest = json.load(file)
        self.files = [f"{self.folder}/{file['key']}" for file in manifest["files"]]
        self.is_csv = manifest["fileFormat"] == "CSV"
        # Columns of a CSV file are known by their places alone.
        self.columns = [name.strip() for name in manifest["fileSchema"].split(",")]


class Clock:
    """Time by the clock and of all threads, from here on: neither Python's start nor imports are counted."""

    def __init__(self):
        self.began = time.perf_counter(), time.process_time()

    def stop(self):
        self.seconds, self.cpu_seconds = time.perf_counter() - self.began[0], time.process_time() - self.began[1]


def tell(clock, version, rows, prefixes, total):
    """Prints the time and what shows that the work was done: rows, prefixes, and the bytes of all objects."""
    answer = {"rows": rows, "prefixes": prefixes, "bytes": total}
    times = {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds}
    print(json.dumps({"version": version, **times, "answer": answer}))
