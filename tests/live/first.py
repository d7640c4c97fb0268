#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
first.py - datagrams that are the first and the last of their sockets, to 10.77.0.2.

  first.py COUNT

By sendto, by send and by write, in turns. Prints its pid, as JSON.
"""
import json
import os
import socket
import sys

from process import name

TO = ("10.77.0.2", 9)

name("first")
for number in range(int(sys.argv[1])):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        if number % 3 == 0:
            sender.sendto(b"first", TO)
            continue
        sender.connect(TO)
        if number % 3 == 1:
            sender.send(b"first")
        else:
            os.write(sender.fileno(), b"first")
print(json.dumps({"pid": os.getpid()}))
