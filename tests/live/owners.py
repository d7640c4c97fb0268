# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# owners.py LINES TRUTH [LINES_LEAST]: does each line name a true owner of its socket, or nobody? LINES_LEAST:
# how many lines there must be at the least that do name one.
import datetime
import json
import sys

MARGIN_US = 10000  # between netlog's clock and the truth's, as elsewhere in these tests


def us(timestamp):
    second, rest = timestamp.rstrip("Z").split(".")
    parsed = datetime.datetime.fromisoformat(second).replace(tzinfo=datetime.timezone.utc)
    return int(parsed.timestamp()) * 1000000 + int(rest)


owners = {}
for line in open(sys.argv[2], encoding="utf-8"):
    row = json.loads(line)
    row["seen"] = 0
    owners.setdefault(row["sock_cookie"], []).append(row)
wrong = named = 0
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    rows = owners.get(event.get("sock_cookie"))
    if not rows:
        continue
    seen = (event.get("pid", 0), event.get("comm", ""))
    now = us(event["timestamp"])
    matching = [row for row in rows if (row["pid"], row["comm"]) == seen
                and (not row["from_us"] or now >= row["from_us"] - MARGIN_US)
                and (not row["to_us"] or now <= row["to_us"] + MARGIN_US)]
    for row in matching:
        row["seen"] += 1
    named += seen[0] != 0
    if seen[0] and not matching:
        wrong += 1
        if wrong <= 5:
            print("# wrong owner:", line.strip())
few = [row for rows in owners.values() for row in rows if row["seen"] < row["least"]]
for row in few:
    print("# too few lines:", row)
least = int(sys.argv[3]) if len(sys.argv) > 3 else 1
if named < least:
    print(f"# {named} lines name an owner, wanted {least}")
print(f"# {named} lines name an owner, {wrong} a wrong one")
sys.exit(wrong > 0 or bool(few) or named < least or not owners)
