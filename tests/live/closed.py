#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
closed.py - servers that write and close at once, and a port where nobody listens.

  closed.py CLIENT SERVER COUNT BYTES

CLIENT and SERVER are network namespaces, as paths. So many connections; of each the server writes
so many bytes and closes, and only then the client reads. Prints the server's pid and port, and the
clients' ports.
"""
import json
import os
import socket
import sys

from process import enter



count, size = int(sys.argv[3]), int(sys.argv[4])
enter(sys.argv[2])
server = socket.create_server(("10.77.0.2", 0))
enter(sys.argv[1])
ports = []
for _ in range(count):
    client = socket.create_connection(server.getsockname())
    connection, peer = server.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * size)
    # what fills no segment waits for the end
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    connection.sendall(bytes(size))
    connection.close()
    ports.append(peer[1])
    while client.recv(1 << 16):
        pass
    client.close()
port = server.getsockname()[1]
server.close()
try:
    socket.create_connection(("10.77.0.2", port))
except ConnectionRefusedError:
    pass
print(json.dumps({"pid": os.getpid(), "port": port, "clients": ports}))
