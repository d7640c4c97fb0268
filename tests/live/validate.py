#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""validate.py NETLOG FILE [FORMAT]: every line of FILE is strict JSON and valid by `NETLOG --schema=FORMAT`."""
import json
import subprocess
import sys

import jsonschema


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key stands twice: {keys}")
    return dict(pairs)


def type_of(line):
    return line["event_type"] if "event_type" in line else line["event.dataset"].split(".", 1)[1]


def refuse(constant):
    raise ValueError(f"{constant} is no JSON")


netlog, path, output_format = (sys.argv[1:] + ["flat"])[:3]
schema = json.loads(
    subprocess.run([netlog, f"--schema={output_format}"], check=True, capture_output=True).stdout
)
jsonschema.Draft202012Validator.check_schema(schema)
# one validator a line type: "oneOf" would try them all, and say nothing of use when all fail
validators = {
    line["title"]: jsonschema.Draft202012Validator(line) for line in schema["oneOf"]
}
with open(path, "rb") as file:
    data = file.read()
if data and not data.endswith(b"\n"):
    sys.exit(f"# {path}: the last line is torn")
for number, raw in enumerate(data.splitlines(), 1):
    try:
        text = raw.decode("utf-8", "strict")
        line = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
        if any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in text):
            raise ValueError("a control character")
        validators[type_of(line)].validate(line)
    except (ValueError, KeyError, jsonschema.ValidationError) as error:
        sys.exit(f"# {path}:{number}: {error}\n#   {raw!r}")
