#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
listeners.py - listeners of MPTCP that have the memory and the ports of a dead process's.

  listeners.py CLIENT SERVER COUNT

CLIENT and SERVER are network namespaces, as paths. A process named l-dead listens on so many ports
and ends; then one named l-alive does. A client begins a connection with each of its listeners, and
waits until stdin ends.
"""
import os
import socket
import sys
import time

from process import enter, name

IPPROTO_MPTCP = 262
FIRST_PORT = 20000


def listen(comm):
    name(comm)
    enter(sys.argv[2])
    listeners = []
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        listener.bind(("10.77.0.2", port))
        listener.listen()
        listeners.append(listener)
    return listeners


ports = range(FIRST_PORT, FIRST_PORT + int(sys.argv[3]))
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # a CPU gives away first what it freed last
child = os.fork()
if not child:
    listen("l-dead")
    sys.exit()
os.waitpid(child, 0)
time.sleep(0.3)  # the kernel frees them when all CPUs have passed by (RCU)
alive = listen("l-alive")
enter(sys.argv[1])
clients = [socket.socket() for _ in ports]
for client, port in zip(clients, ports):
    client.setblocking(False)
    client.connect_ex(("10.77.0.2", port))
sys.stdin.read()
