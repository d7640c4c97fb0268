#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
requests.py - SYNs that are never followed up, each from an address and a port of its own.

  requests.py CLIENT SERVER COUNT

CLIENT and SERVER are the network namespaces at the ends of a wire, as paths. The SYN-ACKs go to
nobody. Ends when the server has sent each again twice, which net.ipv4.tcp_synack_retries says is all.
"""
import socket
import struct
import subprocess
import sys
import time

from process import enter

COUNT = int(sys.argv[3])
AT_ONCE = 500  # what the wire's devices hold


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(number):
    ends = bytes((10, 77, 0, 10 + number % 200, 10, 77, 0, 2))
    tcp = struct.pack("!HHIIBBHHH", 1024 + number // 200, 7000, number, 0, 5 << 4, 2, 1000, 0, 0)
    check = checksum(ends + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp)) + tcp)
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 1, 0, 64, socket.IPPROTO_TCP, 0) + ends + \
        tcp[:16] + struct.pack("!H", check) + tcp[18:]


def words_of(*command):
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()


def sent_again():
    words = words_of("nstat", "-asz", "TcpRetransSegs")
    return int(words[words.index("TcpRetransSegs") + 1])


enter(sys.argv[2])
listener = socket.socket()
listener.bind(("10.77.0.2", 7000))
listener.listen(2 * COUNT)
enter(sys.argv[1])
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for sent in range(COUNT):
    out.sendto(syn(sent), ("10.77.0.2", 0))
    if sent % AT_ONCE == AT_ONCE - 1:
        time.sleep(0.02)
enter(sys.argv[2])
while sent_again() < 2 * words_of("ss", "-tnH", "state", "syn-recv").count("10.77.0.2:7000"):
    time.sleep(0.1)
