# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
follower.py PATH COPY WORDS - follow a file by its path as a shipper does, and copy what it gets to COPY

A file that got shorter is read anew, as `tail -F` and rsyslog do; that, and half a line that stays for a while, is said
in WORDS. Reads until SIGTERM, and then what is left.
"""
import os
import signal
import sys
import time

path, copy, words = sys.argv[1], open(sys.argv[2], "wb", buffering=0), open(sys.argv[3], "w", buffering=1, encoding="utf-8")
ended = False


def end(*_):
    global ended
    ended = True


signal.signal(signal.SIGTERM, end)
file, last, half_since = None, b"\n", None
while True:
    last_time = ended
    if file:
        status = os.fstat(file.fileno())
        if status.st_size < file.tell():
            print(f"shrunk from {file.tell()} to {status.st_size}", file=words)
            file.seek(0)
        data = file.read()
        copy.write(data)
        last = data[-1:] or last
        if data or last == b"\n":
            half_since = None
        elif half_since is None:
            half_since = time.monotonic()
        elif time.monotonic() - half_since > 0.3:
            print(f"half a line at {file.tell()}", file=words)
            half_since = float("inf")
    try:
        there = os.stat(path)
        if not file or not os.path.samestat(there, os.fstat(file.fileno())):
            rest = file.read() if file else b""
            copy.write(rest)
            file = open(path, "rb", buffering=0)
            continue
    except FileNotFoundError:
        pass
    if last_time:
        break
    time.sleep(0.02)
