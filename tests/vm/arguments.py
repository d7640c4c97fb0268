# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""arguments.py ARGUMENTS_H BTF - the arguments of hooks, as bpf/arguments.h says, against a kernel's BTF.

Prints what is not so, and how many were compared. A tracepoint's prototype is that of its typedef
btf_trace_NAME, behind a first argument of the tracepoint's own; a function has its own. Hooks that the kernel
does not have are left out: they are younger.
"""

import json
import re
import subprocess
import sys

ROW = re.compile(r'\bA\((\w+), (\d+), ([^,]+), (\w+),')
CHAIN = {"CONST", "VOLATILE", "RESTRICT"}


class Btf:
    def __init__(self, path):
        dumped = subprocess.run(["bpftool", "-j", "btf", "dump", "file", path], check=True, capture_output=True)
        types = json.loads(dumped.stdout)["types"]
        self.types = {t["id"]: t for t in types}
        self.named = {(t["kind"], t["name"]): t for t in types if t["kind"] in ("TYPEDEF", "FUNC")}

    def prototype(self, tracepoint, hook):
        """The types of a hook's arguments, or None."""
        found = self.named.get(("TYPEDEF", "btf_trace_" + hook) if tracepoint else ("FUNC", hook))
        while found and found["kind"] != "FUNC_PROTO":
            found = self.types[found["type_id"]]
        return found and [p["type_id"] for p in found["params"]][1 if tracepoint else 0 :]

    def name(self, type_id):
        """As C has it, without const."""
        if not type_id:
            return "void"
        found = self.types[type_id]
        if found["kind"] in CHAIN:
            return self.name(found["type_id"])
        if found["kind"] == "PTR":
            return self.name(found["type_id"]) + " *"
        return {"STRUCT": "struct ", "ENUM": "enum "}.get(found["kind"], "") + found["name"]


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        tracepoints, functions = file.read().split("#define FUNCTION_ARGUMENTS(A)")
    rows = [(True, *row) for row in ROW.findall(tracepoints)]
    rows += [(False, *row) for row in ROW.findall(functions)]
    btf = Btf(sys.argv[2])
    compared = 0
    for tracepoint, hook, place, wanted, name in rows:
        arguments = btf.prototype(tracepoint, hook)
        if arguments is None:
            continue
        if int(place) >= len(arguments):
            # one that came later, which programs ask for by another sign
            if name != "err":
                print(f"{hook}: no argument {place} ({name})")
            continue
        seen = btf.name(arguments[int(place)])
        compared += 1
        if seen.replace(" *", "*").replace("long int", "long") != wanted.strip().replace(" *", "*"):
            print(f"{hook}, argument {place} ({name}): {seen}, not {wanted}")
    if compared < 20:
        print(f"only {compared} of {len(rows)} rows could be compared")
    print(f"# {compared} of {len(rows)} arguments compared")


main()
