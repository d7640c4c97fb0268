#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
ages.py - packets whose greatest possible age is known by the sender's own clock.

  ages.py CLIENT SERVER connections COUNT [fastopen]   a message each; between them a pause
  ages.py CLIENT SERVER lent COUNT                     messages that their sender still owns while
                                                       they are read (MSG_ZEROCOPY), over the
                                                       server's loopback
  ages.py CLIENT SERVER queued COUNT ADDRESS FILL [SEEN]
                                                       a message each to ADDRESS, which the client sees
                                                       as SEEN; in front of each go FILL datagrams of
                                                       1000 bytes to port 9
  ages.py CLIENT SERVER flood COUNT                    datagrams to port 9, as fast as can be
  ages.py CLIENT SERVER cut COUNT SEGMENTS             UDP to port 10, so many segments at a time
  ages.py CLIENT SERVER xdp INTERFACE [driver]         XDP in generic mode, or the driver's, at the
                                                       server's interface, which lets all pass;
                                                       until stdin ends
  ages.py CLIENT SERVER linear INTERFACE               the client's interface takes no packets in
                                                       parts any more (scatter/gather)

CLIENT and SERVER are network namespaces, as paths. For each message a line of JSON: its source
port, and how long it was from before it was sent until after it was read, or had been sent. Of
queued ones also how long it was from after it had been sent until before it was read.
"""
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import sys
import time

from process import enter, libc

PAUSE_S = 0.02
SEGMENT_BYTES = 100
MSG_FASTOPEN, TCP_FASTOPEN, SOL_UDP, UDP_SEGMENT = 0x20000000, 23, 17, 103
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
SYS_BPF = {"x86_64": 321, "aarch64": 280}
client_netns, server_netns, what = sys.argv[1:4]


def tell(port, since):
    print(json.dumps({"src_port": port, "bound_ns": time.monotonic_ns() - since}))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connections(count, fastopen):
    enter(server_netns)
    server = socket.create_server(("10.77.0.2", 0))
    if fastopen:
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    enter(client_netns)
    for number in range(2 * count):
        client = socket.socket()
        since = time.monotonic_ns()
        # by turns, so that buffers go from one kind to the other
        if fastopen and number % 2:
            client.sendto(b"x" * SEGMENT_BYTES, MSG_FASTOPEN, server.getsockname())
        else:
            client.connect(server.getsockname())
            since = time.monotonic_ns()
            client.send(b"x" * SEGMENT_BYTES)
        connection, peer = server.accept()
        connection.recv(SEGMENT_BYTES)
        tell(peer[1], since)
        client.close()
        connection.close()
        time.sleep(PAUSE_S)


def lent(count):
    enter(server_netns)
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    connection, peer = server.accept()
    for number in range(count):
        since = time.monotonic_ns()
        client.send(b"x" * SEGMENT_BYTES, MSG_ZEROCOPY)
        connection.recv(SEGMENT_BYTES)
        tell(peer[1], since)
        if number % 3 == 0:
            time.sleep(PAUSE_S)


def queued(count, address, fill, seen):
    enter(server_netns)
    server = socket.create_server((address, 0), family=family_of(address))
    sender = datagrams(9, seen)
    for _ in range(count):
        client = socket.create_connection((seen, server.getsockname()[1]))
        connection, peer = server.accept()
        for _ in range(fill):
            sender.send(b"x" * 1000)
        before = time.monotonic_ns()
        client.send(b"x" * SEGMENT_BYTES)
        after = time.monotonic_ns()
        select.select([connection], [], [])
        ready = time.monotonic_ns()
        connection.recv(SEGMENT_BYTES)
        print(json.dumps({"src_port": peer[1], "bound_ns": time.monotonic_ns() - before,
                          "least_ns": ready - after}))
        client.close()
        connection.close()


def datagrams(port, address="10.77.0.2"):
    enter(client_netns)
    sender = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sender.connect((address, port))
    return sender


def flood(count):
    sender = datagrams(9)
    for _ in range(count):
        try:
            sender.send(b"x" * SEGMENT_BYTES)
        except OSError:  # the queue is full: ENOBUFS
            pass


def cut(count, segments):
    sender = datagrams(10)
    sender.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT_BYTES)
    for _ in range(count):
        since = time.monotonic_ns()
        sender.send(b"x" * SEGMENT_BYTES * segments)
        tell(sender.getsockname()[1], since)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    fd = libc.syscall(SYS_BPF[os.uname().machine], command, buffer, len(buffer))
    if fd < 0:
        error = ctypes.get_errno()
        sys.exit("bpf: %s" % os.strerror(error))
    return fd


def xdp(interface, mode):
    enter(server_netns)
    code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0))
    name = ctypes.create_string_buffer(b"GPL")
    # BPF_PROG_LOAD of type XDP, BPF_F_XDP_HAS_FRAGS; BPF_LINK_CREATE of BPF_XDP, XDP_FLAGS_*_MODE
    program = bpf(5, struct.pack("<IIQQIIQII", 6, 2, ctypes.addressof(code), ctypes.addressof(name),
                                 0, 0, 0, 0, 1 << 5))
    link = bpf(28, struct.pack("<IIII", program, socket.if_nametoindex(interface), 37, mode))
    print("ready", flush=True)
    sys.stdin.read()
    os.close(link)


def linear(interface):
    enter(client_netns)
    value = ctypes.create_string_buffer(struct.pack("<II", 0x19, 0))  # ETHTOOL_SSG
    request = struct.pack("16sQ16x", interface.encode(), ctypes.addressof(value))
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)  # SIOCETHTOOL


if what == "connections":
    connections(int(sys.argv[4]), "fastopen" in sys.argv)
elif what == "lent":
    lent(int(sys.argv[4]))
elif what == "queued":
    queued(int(sys.argv[4]), sys.argv[5], int(sys.argv[6]), sys.argv[-1 if len(sys.argv) > 7 else 5])
elif what == "flood":
    flood(int(sys.argv[4]))
elif what == "cut":
    cut(int(sys.argv[4]), int(sys.argv[5]))
elif what == "linear":
    linear(sys.argv[4])
else:
    xdp(sys.argv[4], 4 if "driver" in sys.argv else 2)
