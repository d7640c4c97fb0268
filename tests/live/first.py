#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
first.py - datagrams that are the first and the last of their sockets, to 10.77.0.2.

  first.py COUNT

So many by each way: by sendto, by send and by write, of UDP-Lite, of a raw socket (protocol 200), and
as a frame (AF_PACKET). Prints its pid, and by how many of these ways datagrams with ports went, as JSON: not every kernel
has UDP-Lite.
"""
import json
import os
import socket
import struct
import sys

from process import name

TO = ("10.77.0.2", 9)
UDPLITE, RAW = 136, 200
# IPv4 and UDP, to port 9
FRAME = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28, 0, 0, 64, socket.IPPROTO_UDP, 0,
                    socket.inet_aton("10.77.0.1"), socket.inet_aton(TO[0]), 9, 9, 8, 0)


def connected():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(TO)
    return sender


def has_udplite():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDPLITE).close()
    except OSError:
        return False
    return True


WAYS = [
    (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), lambda it: it.sendto(b"first", TO)),
    (connected, lambda it: it.send(b"first")),
    (connected, lambda it: os.write(it.fileno(), b"first")),
    (lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, RAW), lambda it: it.sendto(b"first", TO)),
    (lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM),
     lambda it: it.sendto(FRAME, ("wire0", 0x0800))),
]

if has_udplite():
    WAYS.append((lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDPLITE), lambda it: it.sendto(b"first", TO)))

name("first")
for _ in range(int(sys.argv[1])):
    for make, send in WAYS:
        with make() as own:
            send(own)
print(json.dumps({"pid": os.getpid(), "ways": len(WAYS) - 1}))
