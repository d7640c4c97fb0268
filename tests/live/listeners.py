#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
listeners.py - listeners of MPTCP that have the memory and the ports of a dead process's.

  listeners.py CLIENT SERVER COUNT

CLIENT and SERVER are network namespaces, as paths. A process named l-dead listens on so many ports
and ends; then one named l-alive does. A client begins a connection with each of its listeners, and
waits until stdin ends.
"""
import ctypes
import os
import socket
import sys
import time

IPPROTO_MPTCP = 262
FIRST_PORT = 20000
libc = ctypes.CDLL(None, use_errno=True)


def enter(netns):
    fd = os.open(netns, os.O_RDONLY)
    if libc.setns(fd, 0x40000000) < 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), netns)
    os.close(fd)


def listen(comm):
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(comm)
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
