# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
books.py LINES - do the books of the stop line balance, and do they fit the lines?

Prints the first thing that is wrong.
"""
import json
import sys
from collections import Counter


def wrong(what):
    print(what)
    sys.exit(1)


with open(sys.argv[1], encoding="utf-8") as file:
    texts = file.readlines()
rows = [json.loads(text) for text in texts]
stop = rows[-1]
lines = Counter(row["event_type"] for row in rows)
emitted = stop["emitted"]
for event, produced in stop["produced"].items():
    if produced != emitted[event] + stop["lost"][event]:
        wrong(f"produced is not emitted + lost: {texts[-1]}")
for event, count in emitted.items():
    if count != lines[event]:
        wrong(f"{event}: emitted is {count}, but {lines[event]} lines: {texts[-1]}")
# with filters of its own an output need not have all: tests/live/outputs.py
choosy = {text.split(",")[0] for text in rows[0].get("filters", {}).get("output", [])}
for output in stop["outputs"]:
    if output["output"] in choosy:
        continue
    for event, count in output["emitted"].items():
        if count + output["lost"][event] != emitted[event]:
            wrong(f"an output's emitted + lost is not what was emitted: {texts[-1]}")
if [row["seq"] for row in rows] != list(range(1, len(rows) + 1)):
    wrong("seq has gaps")
