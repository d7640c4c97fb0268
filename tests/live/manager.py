#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
manager.py SOCKET - a service manager that has stopped reading: its queue is full. By SIGUSR1 it goes on, and prints
the messages that it gets, by a word each.
"""
import signal
import socket
import sys

sys.stdout.reconfigure(line_buffering=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1].replace("@", "\0"))
filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
filler.connect(manager.getsockname())
filler.setblocking(False)
try:
    while True:
        filler.send(b"")
except BlockingIOError:
    print("full")
signal.sigwait([signal.SIGUSR1])
while True:
    for assignment in manager.recv(4096).decode().splitlines():
        print(assignment.split("=")[0])
