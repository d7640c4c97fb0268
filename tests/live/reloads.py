#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
reloads.py NETLOG DIRECTORY - SIGHUP with two configurations in turn, at each of which one more allocation fails first
(oom.so.c): netlog says that it goes on with the old one, or has all of the new one. Prints how many allocations there
are, or what was wrong.
"""
import os
import signal
import socket
import struct
import subprocess
import sys

netlog, work = sys.argv[1:]
configurations = [f'{{"output": ["file:{work}/lines", "file:{work}/{name},{own}"], {common}}}' for name, own, common in (
    ("a", "events=rtt,port=80,max-size=1MB", '"port": ["80", "443"], "unit": "netlog-no-such", "max-rate": "rtt=5"'),
    ("b", "events=rtt,format=ecs", '"addr": ["10.0.0.0/8", "fd00::/8"], "comm": "y", "rtt-interval": 5'),
)]


class Netlog:
    """One that runs."""

    def __init__(self):
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(f"{work}/manager")
        self.manager.settimeout(30)
        self.numbers = os.open(f"{work}/at", os.O_RDWR | os.O_CREAT, 0o600)
        self.set(0)
        self.process = subprocess.Popen(
            [netlog, "--config=" + work + "/conf", "--events=rtt", "--addr=192.0.2.1"], stderr=open(f"{work}/log", "w"),
            env=dict(os.environ, NOTIFY_SOCKET=f"{work}/manager", NETLOG_OOM_AT=f"{work}/at", LD_PRELOAD="build/oom.so"))
        self.ready()

    def set(self, fails):
        """This allocation from now on fails; 0: none."""
        os.pwrite(self.numbers, struct.pack("QQ", 0, fails), 0)

    def ready(self):
        """Until it has started, or has reloaded."""
        while b"READY=1" not in self.manager.recv(4096):
            pass

    def reload(self, fails):
        """The number of allocations, the messages, and the lines."""
        before = [os.path.getsize(f"{work}/{name}") for name in ("log", "lines")]
        self.set(fails)
        self.process.send_signal(signal.SIGHUP)
        self.ready()
        made, _ = struct.unpack("QQ", os.pread(self.numbers, 16, 0))
        self.set(0)
        return made, *(open(f"{work}/{name}").read()[at:] for name, at in zip(("log", "lines"), before))

    def outputs(self):
        """Which of the configurations' files are open."""
        found = set()
        for fd in os.listdir(f"/proc/{self.process.pid}/fd"):
            try:
                found.add(os.readlink(f"/proc/{self.process.pid}/fd/{fd}"))
            except FileNotFoundError:  # a thread's, that looks for the unit
                pass
        return [i for i, name in enumerate("ab") if f"{work}/{name}" in found]


def configure(i):
    """For the next reload."""
    with open(f"{work}/conf", "w") as file:
        file.write(configurations[i])


configure(0)
run = Netlog()
run.reload(0)  # the loop runs by then
now, fails, made = 0, 0, 1
while made > fails:
    fails += 1
    configure(1 - now)
    made, messages, lines = run.reload(fails)
    kept, taken = "going on with the old configuration" in messages, "read anew" in messages
    told = '"reload"' in lines or '"lost"' in lines or "cannot write a control line" in messages
    now = 1 - now if taken else now
    if kept == taken or taken != told or run.outputs() != [now]:
        print(f"allocation {fails}: outputs {run.outputs()}, not {now}; told: {told}: {messages}")
run.process.send_signal(signal.SIGTERM)
if run.process.wait(30) not in (0, 74):
    print("exit status", run.process.returncode)
print(made)
