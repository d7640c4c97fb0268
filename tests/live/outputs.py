# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
outputs.py FILE... - do the books of a run fit what its outputs have? They are all files.

Prints the first thing that is wrong.
"""
import json
import sys
from collections import Counter

CONTROL = {"start", "stats", "lost", "reload", "stop"}


def wrong(what):
    print(what)
    sys.exit(1)


lines, of_file = {}, {}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        texts = file.readlines()
    numbers = [json.loads(text)["seq"] for text in texts]
    if numbers != sorted(set(numbers)):
        wrong(f"{path}: a line comes twice, or too late")
    for number, text in zip(numbers, texts):
        if lines.setdefault(number, text) != text:
            wrong(f"{path}: another line has the number {number}: {text}")
    of_file["file:" + path] = Counter(json.loads(text)["event_type"] for text in texts)
rows = [json.loads(lines[number]) for number in sorted(lines)]
if [row["seq"] for row in rows] != list(range(1, len(rows) + 1)):
    wrong("seq has gaps: a line is in no output")
stop = rows[-1]
if stop["event_type"] != "stop":
    wrong(f"the last line is {stop}")
told = Counter(row["event_type"] for row in rows)
for event, produced in stop["produced"].items():
    if produced != stop["emitted"][event] + stop["lost"][event]:
        wrong(f"produced is not emitted + lost: {stop}")
    if stop["emitted"][event] != told[event]:
        wrong(f"{event}: emitted is not the {told[event]} lines that are somewhere: {stop}")
for output in stop["outputs"]:
    if output["output"] not in of_file:
        continue
    has = of_file[output["output"]]
    for event in set(has) - CONTROL | set(output["emitted"]):
        if output["emitted"].get(event, 0) != has[event]:
            wrong(f"{output['output']}: {has[event]} lines of {event}: {stop}")
