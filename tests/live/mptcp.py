#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
mptcp.py - connections of MPTCP between two processes, and what these know of them.

  mptcp.py CLIENT SERVER MESSAGES BYTES

CLIENT and SERVER are network namespaces, as paths. The client connects three times: with MPTCP; the
same, but the server writes and closes at once, and only then the client reads; and without MPTCP to
the same listener. Prints a row for each end of each connection: its process, its socket's cookie
(SO_COOKIE), and the ports.
"""
import json
import os
import socket
import sys

from process import enter, name

IPPROTO_MPTCP = 262
SO_COOKIE = 57
SCENES = ("talk", "closed", "plain")


def say(scene, role, connection):
    cookie = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)
    row = {"scene": scene, "role": role, "pid": os.getpid(), "cookie": str(cookie),
           "local_port": connection.getsockname()[1], "remote_port": connection.getpeername()[1]}
    os.write(1, (json.dumps(row) + "\n").encode())


def read(connection, size):
    while size:
        part = connection.recv(size)
        if not part:
            raise EOFError
        size -= len(part)


def talk(connection, first):
    for _ in range(messages):
        if first:
            connection.sendall(bytes(size))
        read(connection, size)
        if not first:
            connection.sendall(bytes(size))


def serve():
    for scene in SCENES:
        connection, _ = listener.accept()
        say(scene, "server", connection)
        if scene == "closed":
            connection.sendall(bytes(100000))
        else:
            talk(connection, False)
        connection.close()


def ask():
    for scene in SCENES:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0 if scene == "plain" else IPPROTO_MPTCP)
        client.connect(address)
        say(scene, "client", client)
        if scene == "closed":
            read(client, 100000)
        else:
            talk(client, True)
        client.close()


messages, size = int(sys.argv[3]), int(sys.argv[4])
enter(sys.argv[2])
name("m-server")
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
listener.bind(("10.77.0.2", 0))
listener.listen()
address = listener.getsockname()
child = os.fork()
if child:
    serve()
    sys.exit(os.waitpid(child, 0)[1] != 0)
listener.close()
enter(sys.argv[1])
name("m-client")
ask()
