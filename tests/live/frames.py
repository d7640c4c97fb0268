#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
frames.py - frames of all kinds, each with its own headers, and what a line has to say of each.

  frames.py INTERFACE TRUTH

Sends each frame out of the Ethernet interface as it is (AF_PACKET), and writes to the file TRUTH,
a line of JSON each, its name and what it is: of IP each has an address of its own, of all others
each has its own length.
"""
import json
import socket
import struct
import sys

PAYLOAD = b"x" * 100
TCP, UDP, GRE, ESP, AH, SCTP, DCCP, UDPLITE = 6, 17, 47, 50, 51, 132, 33, 136
HOP_BY_HOP, ROUTING, FRAGMENT, NOTHING, OPTIONS = 0, 43, 44, 59, 60
NAMES = {1: "icmp", 2: "igmp", TCP: "tcp", UDP: "udp", 58: "icmpv6"}
PORTS = (1111, 2222)

udp = struct.pack("!HHHH", *PORTS, 8 + len(PAYLOAD), 0) + PAYLOAD


def tcp(words=5, payload=PAYLOAD):
    header = struct.pack("!HHIIBBHHH", *PORTS, 12345, 0, words << 4, 0x10, 1000, 0, 0)
    return header + bytes(max(0, words - 5) * 4) + payload


def ipv4(number, proto, body, options=0, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + options, 0, 20 + 4 * options + len(body), number,
                         fragment, 64, proto, 0, socket.inet_aton("10.99.0.1"),
                         socket.inet_aton("10.99.1.%d" % number))
    return 0x0800, header + bytes(4 * options) + body


def says(packet, at, value):
    """Its 16 bits at that place of the network header say so, whatever is true"""
    kind, packet = packet
    return kind, packet[:at] + struct.pack("!H", value) + packet[at + 2:]


def ipv6(number, first, body, length=None):
    return 0x86dd, struct.pack("!IHBB16s16s", 6 << 28, len(body) if length is None else length,
                               first, 64, socket.inet_pton(socket.AF_INET6, "fd99::1"),
                               socket.inet_pton(socket.AF_INET6, "fd99::1:%x" % number)) + body


def extension(following, eights=0):
    """Hop-by-hop, routing, destination options: they look alike."""
    return struct.pack("!BB6x", following, eights) + bytes(8 * eights)


def fragment(following, offset, more):
    return struct.pack("!BxHI", following, offset << 3 | more, 7)


def authentication(following, words=4):
    return struct.pack("!BBHII", following, words + 1, 0, 1, 1) + bytes(4 * words)[4:] + b"abcd"


def tagged(*tags_and_packet):
    """In front of the packet's own EtherType: (EtherType of the tag, its number) each."""
    *tags, (kind, packet) = tags_and_packet
    for number in range(len(tags), 0, -1):
        packet = struct.pack("!HH", number, kind) + packet
        kind = tags[number - 1]
    return kind, packet


def is_(proto, length, ports=True):
    return {"proto": NAMES.get(proto), "proto_number": None if proto in NAMES else proto,
            "src_port": PORTS[0] if ports else None, "dest_port": PORTS[1] if ports else None,
            "len_bytes": length, "tcp_seq": 12345 if proto == TCP and ports else None}


def hidden(length):
    return dict(is_(0, length, False), proto_number=None)


# after destination options, so many
def chain(count, last, body):
    return b"".join(extension(OPTIONS) for _ in range(count - 1)) + extension(last) + body


IP = [
    ("UDP", 4, lambda n: ipv4(n, UDP, udp), is_(UDP, 100)),
    ("TCP", 4, lambda n: ipv4(n, TCP, tcp()), is_(TCP, 100)),
    ("TCP and IP with options", 4, lambda n: ipv4(n, TCP, tcp(8), options=3), is_(TCP, 100)),
    ("TCP that claims a longer header than there is", 4,
     lambda n: ipv4(n, TCP, tcp(5, b"").replace(b"\x50\x10", b"\xf0\x10")), is_(TCP, 0)),
    ("UDP in a padded frame", 4, lambda n: (0x0800, ipv4(n, UDP, udp[:10])[1] + bytes(18)), is_(UDP, 2)),
    ("UDP in a padded frame", 6, lambda n: (0x86dd, ipv6(n, UDP, udp[:10])[1] + bytes(18)), is_(UDP, 2)),
    ("UDP that ends before IP does", 4, lambda n: says(ipv4(n, UDP, udp), 24, 8 + 30), is_(UDP, 30)),
    ("UDP that ends before IP does", 6, lambda n: says(ipv6(n, UDP, udp), 44, 8 + 30), is_(UDP, 30)),
    ("UDP whose length is none", 4, lambda n: says(ipv4(n, UDP, udp), 24, 7), is_(UDP, 100)),
    ("UDP that IP ends amid its header", 4, lambda n: says(ipv4(n, UDP, udp), 2, 20 + 4), is_(UDP, 4, False)),
    ("UDP that IP ends amid its header", 6, lambda n: ipv6(n, UDP, udp, 4), is_(UDP, 4, False)),
    ("IP that is shorter than its header", 4, lambda n: says(ipv4(n, UDP, udp), 2, 10), is_(UDP, 0, False)),
    ("a header that says it is shorter than it is", 4,
     lambda n: says(ipv4(n, UDP, udp), 0, 0x4100), is_(UDP, 108, False)),
    ("UDP with a tag", 4, lambda n: tagged(0x8100, ipv4(n, UDP, udp)), is_(UDP, 100)),
    ("TCP with a tag", 6, lambda n: tagged(0x8100, ipv6(n, TCP, tcp())), is_(TCP, 100)),
    ("UDP with two tags", 6, lambda n: tagged(0x88a8, 0x8100, ipv6(n, UDP, udp)), is_(UDP, 100)),
    ("UDP with three tags", 4, lambda n: tagged(0x88a8, 0x8100, 0x8100, ipv4(n, UDP, udp)), is_(UDP, 100)),
    ("UDP behind hop-by-hop options", 6, lambda n: ipv6(n, HOP_BY_HOP, extension(UDP, 1) + udp), is_(UDP, 100)),
    ("TCP behind a jumbo length of 0", 6, lambda n: ipv6(n, HOP_BY_HOP, extension(TCP) + tcp(), 0), is_(TCP, 100)),
    ("TCP behind routing and options", 6,
     lambda n: ipv6(n, ROUTING, extension(OPTIONS, 2) + extension(TCP, 3) + tcp()), is_(TCP, 100)),
    ("TCP behind twelve headers, with a tag", 6,
     lambda n: tagged(0x8100, ipv6(n, OPTIONS, chain(12, TCP, tcp()))), is_(TCP, 100)),
    ("TCP behind more headers than are read", 6,
     lambda n: ipv6(n, OPTIONS, chain(40, TCP, tcp())), hidden(320 + 120 - 16 * 8)),
    ("headers that end before the next", 6, lambda n: ipv6(n, HOP_BY_HOP, extension(ROUTING)), hidden(0)),
    ("nothing behind the last header", 6, lambda n: ipv6(n, OPTIONS, extension(NOTHING)), is_(NOTHING, 0, False)),
    ("ESP behind options", 6, lambda n: ipv6(n, OPTIONS, extension(ESP) + bytes(40)), is_(ESP, 40, False)),
    ("authenticated TCP", 6, lambda n: ipv6(n, AH, authentication(TCP) + tcp()), is_(TCP, 100)),
    ("authenticated UDP", 4, lambda n: ipv4(n, AH, authentication(UDP) + udp), is_(UDP, 100)),
    ("first fragment of UDP", 6, lambda n: ipv6(n, FRAGMENT, fragment(UDP, 0, 1) + udp), is_(UDP, 100)),
    ("first fragment of UDP", 4, lambda n: ipv4(n, UDP, udp, fragment=0x2000), is_(UDP, 100)),
    ("first fragment of TCP, eight bytes of it", 4,
     lambda n: ipv4(n, TCP, tcp()[:8], fragment=0x2000), is_(TCP, 8)),
    ("second fragment of UDP", 6, lambda n: ipv6(n, FRAGMENT, fragment(UDP, 12, 0) + PAYLOAD), is_(UDP, 100, False)),
    ("second fragment of UDP", 4, lambda n: ipv4(n, UDP, PAYLOAD, fragment=12), is_(UDP, 100, False)),
    ("second fragment of TCP behind options of the whole", 6,
     lambda n: ipv6(n, FRAGMENT, fragment(OPTIONS, 12, 0) + PAYLOAD), hidden(100)),
    ("whole in one fragment", 6, lambda n: ipv6(n, FRAGMENT, fragment(UDP, 0, 0) + udp), is_(UDP, 100)),
    ("SCTP", 4, lambda n: ipv4(n, SCTP, udp), is_(SCTP, 108)),
    ("SCTP behind options", 6, lambda n: ipv6(n, OPTIONS, extension(SCTP) + udp), is_(SCTP, 108)),
    ("DCCP", 6, lambda n: ipv6(n, DCCP, udp), is_(DCCP, 108)),
    ("UDP-Lite", 4, lambda n: ipv4(n, UDPLITE, udp), is_(UDPLITE, 108)),
    ("GRE", 4, lambda n: ipv4(n, GRE, PAYLOAD), is_(GRE, 100, False)),
    ("GRE", 6, lambda n: ipv6(n, GRE, PAYLOAD), is_(GRE, 100, False)),
    ("IPv6 in IPv4", 4, lambda n: ipv4(n, 41, ipv6(n, UDP, udp)[1]), is_(41, 148, False)),
    ("IGMP", 4, lambda n: ipv4(n, 2, bytes(8)), is_(2, 8, False)),
    ("protocol 0", 4, lambda n: ipv4(n, 0, PAYLOAD), is_(0, 100, False)),
    ("protocol 255", 6, lambda n: ipv6(n, 255, PAYLOAD), is_(255, 100, False)),
]

# Their first four bits are 4 or 6, and what follows could be headers of IP.
LOOKS_LIKE = {4: ipv4(99, UDP, udp)[1], 6: ipv6(99, UDP, udp)[1]}
OTHERS = [
    ("spanning tree", lambda body: (3 + len(body), b"\x42\x42\x03" + body), 4),
    ("MPLS", lambda body: (0x8847, body), 4),
    ("MPLS", lambda body: (0x8847, body), 6),
    ("batman-adv", lambda body: (0x4305, body), 4),
    ("ARP's type", lambda body: (0x0806, body), 4),
    ("IPv4 that says it is 6", lambda body: (0x0800, body), 6),
    ("IPv6 that says it is 4", lambda body: (0x86dd, body), 4),
    ("LLC with a tag", lambda body: tagged(0x8100, (3 + len(body), b"\x42\x42\x03" + body)), 6),
    ("MPLS with a tag", lambda body: tagged(0x8100, (0x8847, body)), 4),
]

out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
with open(sys.argv[2], "w", encoding="ascii") as truth:
    def send(name, kind, packet, true):
        # to nobody, from nobody: no answers
        out.send(b"\x02\0\0\0\0\x01" + b"\x02\0\0\0\0\x02" + struct.pack("!H", kind) + packet)
        truth.write(json.dumps(dict(true, name=name)) + "\n")

    for place, (name, version, make, truth_of) in enumerate(IP, 1):
        address = "10.99.1.%d" % place if version == 4 else "fd99::1:%x" % place
        send("%s over IPv%d" % (name, version), *make(place),
             dict(truth_of, ip_version=version, dest_ip=address))
    for place, (name, make, version) in enumerate(OTHERS, 1):
        kind, packet = make(LOOKS_LIKE[version] + bytes(1000 + 50 * place))
        send(name, kind, packet, {"ip_version": None, "dest_ip": None, "proto": None,
                                  "proto_number": None, "src_port": None, "dest_port": None,
                                  "tcp_seq": None, "len_bytes": len(packet) - 4 * name.endswith("tag")})
