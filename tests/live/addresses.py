# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
addresses.py told LINES TRUTH         each line has the addresses of an end's socket, and those on the wire where they
                                      are others; each end has all the lines that it must have
addresses.py filtered LINES TRUTH PART CONDITION   PART has the lines of those ends, and no others
addresses.py sampled LINES TRUTH PART   another netlog's PART has of each end all kinds of lines, or none
addresses.py kept LINES TRUTH PART CONDITION   it has of these ends all kinds of lines, and of the others none

TRUTH is translated.py's. CONDITION is Python, of an end: local, remote. Says what is wrong, if anything is.
"""
import json
import sys

EVENTS = ("retransmit", "rtt", "latency")
wrong = []


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def lines_of(path):
    """Those of the namespaces and protocols that the truth is about; IPv6 talks by itself, too."""
    namespaces = {end["netns"] for end in ends.values()}
    return [line for line in read(path) if line["event_type"] in EVENTS and line.get("netns") in namespaces
            and line.get("proto") in ("tcp", "udp", "icmp")]


def key_of(line):
    """Whose line it is: the end's namespace, and its own address before its peer's."""
    source = (line["src_ip"], line.get("src_port"))
    destination = (line["dest_ip"], line.get("dest_port"))
    ours = (destination, source) if line.get("direction") == "ingress" else (source, destination)
    return (line["netns"], line["proto"], *ours)


def kind_of(line):
    return line.get("stage", line["event_type"])


def kinds_of(lines):
    kinds = {}
    for line in lines:
        kinds.setdefault(key_of(line), set()).add(kind_of(line))
    return kinds


def on_wire(end):
    """What such a line must say of the headers."""
    keys = {}
    for name, own, wire in ("src", "local", "wire_local"), ("dest", "remote", "wire_remote"):
        if end[wire][0] != end[own][0]:
            keys[name + "_nat_ip"] = end[wire][0]
        if end[wire][1] != end[own][1]:
            keys[name + "_nat_port"] = end[wire][1]
    return keys


def check_told():
    for line in all_lines:
        end = ends.get(key_of(line))
        if not end:
            wrong.append(f"nobody's addresses: {line}")
            continue
        told = {key: value for key, value in line.items() if "_nat_" in key}
        wanted = on_wire(end) if line.get("stage") == "qdisc" else {}
        if told != wanted:
            wrong.append(f"{end['role']}: {told}, not {wanted}: {line}")
    kinds = kinds_of(all_lines)
    functions = any("transport" in seen for seen in kinds.values())  # can be hooked here
    for key, end in ends.items():
        wanted = {"qdisc"}
        if end["role"] in ("client", "server", "local client", "local server", "inner client"):
            wanted |= {"tcp", "app", "rtt"} | ({"transport"} if functions else set())
        if functions and end["role"] in ("connected", "connected server", "unconnected", "unconnected server"):
            wanted |= {"transport", "app"}
        if not wanted <= kinds.get(key, set()):
            wrong.append(f"{end['role']}: only {kinds.get(key)}: {end}")
    retransmits = {ends[key]["role"] for key, seen in kinds.items() if "retransmit" in seen and key in ends}
    if "client" not in retransmits:
        wrong.append(f"no retransmit of a client's, but of {retransmits}")


def meets(key, condition):
    end = ends.get(key)
    return end and eval(condition, {}, {"local": end["local"], "remote": end["remote"]})


def check_filtered(path, condition):
    seen = {line["seq"] for line in lines_of(path)}
    true = {line["seq"] for line in all_lines if meets(key_of(line), condition)}
    if not true or true == {line["seq"] for line in all_lines}:
        wrong.append(f"{condition}: no test")
    for line in all_lines:
        if (line["seq"] in seen) != (line["seq"] in true):
            wrong.append(f"{condition}: {'there' if line['seq'] in seen else 'missing'}: {line}")


def check_sampled(path):
    whole, part = kinds_of(all_lines), kinds_of(lines_of(path))
    for key, seen in part.items():
        if seen != whole.get(key):
            wrong.append(f"{key}: {seen} of {whole.get(key)}")
    translated = [key for key, end in ends.items() if end["role"] in ("client", "server")]
    kept = [key for key in translated if key in part]
    if not 0 < len(kept) < len(translated):
        wrong.append(f"{len(kept)} of {len(translated)} ends kept: no test")


def check_kept(path, condition):
    whole, part = kinds_of(all_lines), kinds_of(lines_of(path))
    for key, kinds in whole.items():
        true = kinds if meets(key, condition) else set()
        if part.get(key, set()) != true:
            wrong.append(f"{key}: {part.get(key)}, not {true}")


how, lines_path, truth_path, *rest = sys.argv[1:]
ends = {(end["netns"], end["proto"], tuple(end["local"]), tuple(end["remote"])): end for end in read(truth_path)}
all_lines = lines_of(lines_path)
{"told": check_told, "filtered": check_filtered, "sampled": check_sampled, "kept": check_kept}[how](*rest)
for words in wrong[:5]:
    print("#", words)
sys.exit(f"# {len(wrong)} wrong" if wrong else 0)
