#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
parts.py - TCP that is read in parts, between which many packets come and stay.

  parts.py PARTS HELD

Over the loopback, one packet, read in so many parts. After the first, so many datagrams come, each
of which waits at its socket until the end. Prints the port that has been read at.
"""
import socket
import sys

PART = 100
AT_ONE_SOCKET = 250  # its buffer takes these

parts, held = int(sys.argv[1]), int(sys.argv[2])


def hold(count):
    reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reader.bind(("127.0.0.1", 0))
    writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    writer.connect(reader.getsockname())
    for _ in range(count):
        writer.send(b"x")
    return reader


server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
connection, _ = server.accept()
connection.settimeout(60)
client.sendall(bytes(parts * PART))
waiting = []
for part in range(parts):
    if len(connection.recv(PART, socket.MSG_WAITALL)) != PART:
        sys.exit("parts: the end came early")
    if part == 0:
        waiting = [hold(AT_ONE_SOCKET) for _ in range(held // AT_ONE_SOCKET)]
print(server.getsockname()[1])
