# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""skipped_calls.py NETNS0 NETNS1 FILE STEP... - one socket's life, step by step.

It is in NETNS0. In NETNS1 another process accepts connections at the ports 7100 and 7101, and reads each to its end;
when it listens there is the FILE. The steps are those of STEPS below, some with a value: connect:7100. `say` prints
TCP_INFO's total_retrans as a line of JSON.
"""

import ctypes
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time

from process import enter, libc

TOTAL_RETRANS = 100  # in struct tcp_info
UNACKED = 24
TCP_REPAIR, TCP_FASTOPEN = 19, 23
LIMIT_S = 60


def info(it, offset):
    return struct.unpack_from("I", it.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), offset)[0]


def serve(listener):
    while True:
        connection, _ = listener.accept()

        def drain(connection=connection):
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
            connection.close()

        threading.Thread(target=drain, daemon=True).start()


def listeners_make():
    enter(sys.argv[2])
    for port in (7100, 7101):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        listener.bind(("10.77.0.2", port))
        listener.listen(2048)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()


def wait_until(condition):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit("waited in vain")
        time.sleep(0.01)


def drop_syn(port):
    """One more SYN is lost, on its way to that port"""
    subprocess.run(
        ["nsenter", f"--net={sys.argv[2]}", "nft", "table inet once { chain in { type filter hook prerouting "
         f"priority -300; tcp dport {port} tcp flags & (syn | ack) == syn numgen inc mod 1000000 0 drop; }}; }}"],
        check=True)


def sends(allowed):
    """Whether what is sent passes this host's own filter"""
    rule = "add table inet mute { chain out { type filter hook output priority 0; tcp dport 7100 drop; }; }"
    subprocess.run(["nft", "delete table inet mute" if allowed else rule], check=True)


def connect(it, port):
    it.connect(("10.77.0.2", int(port)))


def refused(it, port):
    try:
        it.connect(("10.77.0.2", int(port)))
    except OSError:
        return
    sys.exit("connected")


def crowd(_, count):
    """So many more sockets connect at once, and send a little"""
    others = []
    waiting = selectors.DefaultSelector()
    for _ in range(int(count)):
        other = socket.socket()
        other.setblocking(False)
        other.connect_ex(("10.77.0.2", 7100))
        waiting.register(other, selectors.EVENT_WRITE)
        others.append(other)
    for _ in others:
        for key, _ in waiting.select(LIMIT_S) or sys.exit("not all connected"):
            waiting.unregister(key.fileobj)
            key.fileobj.send(b"x")
        if not waiting.get_map():
            break
    for other in others:
        other.close()
    ended()


def disconnect(it, _):
    if libc.connect(it.fileno(), bytes(16), 16) < 0:
        sys.exit("disconnect: " + os.strerror(ctypes.get_errno()))


def half(it, _):
    it.shutdown(socket.SHUT_WR)
    it.recv(1)


def ended(*_):
    """Nothing is left of the connection but TIME-WAIT"""
    def gone():
        return not subprocess.run(["ss", "-tnH", "state", "connected", "exclude", "time-wait"],
                                  capture_output=True, check=True).stdout
    wait_until(gone)


STEPS = {
    "acked": lambda it, _: wait_until(lambda: info(it, UNACKED) == 0),
    "bind": lambda it, _: it.bind(("10.77.0.1", 7300)),
    "close": lambda it, _: it.close(),
    "connect": connect,
    "crowd": crowd,
    "disconnect": disconnect,
    "drop": lambda _, port: drop_syn(port),
    "ended": ended,
    "everybody": lambda *_: sends(True),
    "fastopen": lambda it, port: it.sendto(bytes(100), socket.MSG_FASTOPEN, ("10.77.0.2", int(port))),
    "half": half,
    "nobody": lambda *_: sends(False),
    "refused": refused,
    "repair": lambda it, value: it.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, int(value)),
    "retrans": lambda it, count: wait_until(lambda: info(it, TOTAL_RETRANS) >= int(count)),
    "say": lambda it, _: print(json.dumps({"total_retrans": info(it, TOTAL_RETRANS)}), flush=True),
    "send": lambda it, length: it.sendall(bytes(int(length))),
    "touch": lambda _, path: open(path, "w", encoding="utf-8").close(),
    "wait": lambda _, path: wait_until(lambda: os.path.exists(path)),
}

child = os.fork()
if not child:
    libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    listeners_make()
    open(sys.argv[3], "w").close()
    threading.Event().wait()
wait_until(lambda: os.path.exists(sys.argv[3]))
enter(sys.argv[1])
own = socket.socket()
own.settimeout(LIMIT_S)
for text in sys.argv[4:]:
    word, _, value = text.partition(":")
    STEPS[word](own, value)
os.kill(child, 9)
os.waitpid(child, 0)
