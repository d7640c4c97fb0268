# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""again.py NETNS0 NETNS1 - one socket that is several connections' in turn, and the truth about each.

In NETNS1 it connects to port 7100 in NETNS0, and once more, and then listens at port 7200, where a connection is
accepted that sends 200 bytes. For each of the three prints a line of JSON: its ports, namespace and total_retrans.
"""

import ctypes
import json
import os
import socket
import struct
import sys

from process import enter, libc

TOTAL_RETRANS = 100  # in struct tcp_info


def socket_make():
    made = socket.socket()
    made.settimeout(30)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def listener_make(made, address):
    made.bind(address)
    made.listen()


def tell(connection, local, remote, netns):
    (retrans,) = struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), TOTAL_RETRANS)
    print(json.dumps({"local_port": local, "remote_port": remote, "netns": netns, "total_retrans": retrans}))


def disconnect(connection):
    """connect(2) with AF_UNSPEC"""
    if libc.connect(connection.fileno(), bytes(16), 16) < 0:
        sys.exit("again.py: connect to nowhere: " + os.strerror(ctypes.get_errno()))


enter(sys.argv[1])
peer = socket_make()
listener_make(peer, ("10.77.0.1", 7100))
enter(sys.argv[2])
own = os.stat(sys.argv[2]).st_ino
it = socket_make()
for _ in range(2):
    it.connect(("10.77.0.1", 7100))
    tell(it, it.getsockname()[1], 7100, own)
    disconnect(it)
listener_make(it, ("10.77.0.2", 7200))
enter(sys.argv[1])
client = socket_make()
client.connect(("10.77.0.2", 7200))
accepted, _ = it.accept()
accepted.sendall(bytes(200))
client.recv(200, socket.MSG_WAITALL)
tell(accepted, 7200, client.getsockname()[1], own)
