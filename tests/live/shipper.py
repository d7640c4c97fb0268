# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# shipper.py receive ADDRESS PORT FILE: takes one connection, and appends what comes to the file
# shipper.py send ADDRESS PORT: calls itself `shipper`, and sends each line of its input when it comes
import socket
import sys

from process import name

address = (sys.argv[2], int(sys.argv[3]))
if sys.argv[1] == "receive":
    with socket.create_server(address) as server, open(sys.argv[4], "wb", buffering=0) as file:
        connection = server.accept()[0]
        while data := connection.recv(65536):
            file.write(data)
else:
    name("shipper")
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for line in sys.stdin.buffer:
            connection.sendall(line)
