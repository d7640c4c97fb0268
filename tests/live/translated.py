#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
translated.py CLIENT SERVER INNER COUNT - talk whose addresses the hosts translate, and who talks to whom.

CLIENT, SERVER and INNER are network namespaces, as paths; the rules of translation are addresses.sh's. So many
TCP connections over each IP version, and some of other kinds. For each end prints a line of JSON: its namespace, its
own address and port and its peer's as its socket has them, and both as they are in packets that it sends ("wire").
Ports of ICMP are null.
"""
import json
import os
import socket
import struct
import sys

from process import enter

MESSAGES = 4
TIMEOUT_S = 60
ECHO = b"\x08\x00\xf7\xff" + bytes(4)  # a request
namespaces = dict(zip(("client", "server", "inner"), sys.argv[1:4]))
inodes = {name: os.stat(path).st_ino for name, path in namespaces.items()}


def plain(address):
    return [address[0].removeprefix("::ffff:"), address[1]]


def tell(role, proto, local, remote, wire_local, wire_remote, **more):
    print(json.dumps({"role": role, "proto": proto, "local": local, "remote": remote, "wire_local": wire_local,
                      "wire_remote": wire_remote, **more}))


def tell_end(where, role, proto, local, remote, wire_local=None, wire_remote=None):
    tell(role, proto, local, remote, wire_local or local, wire_remote or remote, netns=inodes[where])


def socket_in(where, family, kind, proto=0):
    enter(namespaces[where])
    made = socket.socket(family, kind, proto)
    made.settimeout(TIMEOUT_S)
    return made


def receive(connection, size):
    while size:
        size -= len(connection.recv(size))


def talk(client, server):
    for _ in range(MESSAGES):
        client.sendall(bytes(100))
        receive(server, 100)
        server.sendall(bytes(200))
        receive(client, 200)


def connect(listener, where, family, to, abandoned=True):
    """A connection that has been used, and both ends' addresses of both ends. Abandoned: the client's socket is gone
    when the other's end comes, which the kernel answers by itself (TIME-WAIT)."""
    client = socket_in(where, family, socket.SOCK_STREAM)
    client.connect(to)
    server, _ = listener.accept()
    server.settimeout(TIMEOUT_S)
    talk(client, server)
    ends = [plain(end) for end in (client.getsockname(), client.getpeername(),
                                   server.getsockname(), server.getpeername())]
    if abandoned:
        client.close()
    else:
        client.shutdown(socket.SHUT_WR)
    while server.recv(1):
        pass
    server.close()
    while not abandoned and client.recv(1):
        pass
    client.close()
    return ends


def connections(listener, family, vip, real, count):
    """The client's host translates both ends, the server's host the port."""
    for _ in range(count):
        own, peer, servers, clients = connect(listener, "client", family, (vip, 443))
        tell_end("client", "client", "tcp", own, peer, clients, [real, 80])
        tell_end("server", "server", "tcp", servers, clients, [real, 80])
    own, peer, servers, clients = connect(listener, "client", family, (vip, 22))
    tell_end("client", "login", "tcp", own, peer, clients, [real, 82])
    tell_end("server", "login's server", "tcp", servers, clients, [real, 82])
    own, peer, servers, clients = connect(listener, "client", family, (real, 8080))
    tell_end("client", "untranslated client", "tcp", own, peer)
    tell_end("server", "untranslated server", "tcp", servers, clients)


def stateless(family, vip, real):
    """Packets are rewritten, and no connection tracker knows: an address by the client's host, a port by the server's."""
    enter(namespaces["server"])
    listener = socket.create_server((real, 7070), family=family)
    own, peer, servers, clients = connect(listener, "client", family, (vip, 7071), False)
    tell_end("client", "stateless client", "tcp", own, peer, None, [real, 7071])
    tell_end("server", "stateless server", "tcp", servers, clients, [real, 7071])
    listener.close()


def loopback(family, host):
    enter(namespaces["client"])
    listener = socket.create_server((host, 9090), family=family)
    own, peer, servers, clients = connect(listener, "client", family, (host, 9080))
    tell_end("client", "local client", "tcp", own, peer, None, [host, 9090])
    tell_end("client", "local server", "tcp", servers, clients, [host, 9080])
    listener.close()


def refuse(family, own, vip, real, translated):
    """A port where nobody listens: the kernel answers, without a socket."""
    client = socket_in("client", family, socket.SOCK_STREAM)
    client.bind((own, 0))
    port = client.getsockname()[1]
    try:
        client.connect((vip, 444))
    except ConnectionRefusedError:
        pass
    client.close()
    tell_end("client", "refused", "tcp", [own, port], [vip, 444], [translated, port], [real, 81])
    tell_end("server", "nobody", "tcp", [real, 8081], [translated, port], [real, 81])


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def stray():
    """A segment of no connection, from a raw socket. A listener's kernel answers with a reset."""
    enter(namespaces["server"])
    listener = socket.create_server(("10.77.0.2", 8090))
    raw = socket_in("client", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.connect(("10.99.0.1", 445))

    def segment(check):
        return struct.pack("!HHIIBBHHH", 5555, 445, 1, 1, 5 << 4, 0x10, 1000, check, 0)

    pseudo = socket.inet_aton("10.77.0.1") + socket.inet_aton("10.99.0.1") + struct.pack("!HH", 6, 20)
    raw.send(segment(checksum(pseudo + segment(0))))
    raw.recv(100)
    raw.close()
    listener.close()
    tell_end("client", "raw", "tcp", ["10.77.0.1", 5555], ["10.99.0.1", 445], ["10.77.0.3", 5555], ["10.77.0.2", 83])
    tell_end("server", "listener", "tcp", ["10.77.0.2", 8090], ["10.77.0.3", 5555], ["10.77.0.2", 83])


def datagrams(server, family, own, vip, real, connected):
    client = socket_in("client", family, socket.SOCK_DGRAM)
    if connected:
        client.connect((vip, 53))
    for _ in range(MESSAGES):
        client.sendall(bytes(100)) if connected else client.sendto(bytes(100), (vip, 53))
        _, peer = server.recvfrom(100)
        server.sendto(bytes(100), peer)
        client.recvfrom(100)
    local = [own, client.getsockname()[1]]
    client.close()
    role = "connected" if connected else "unconnected"
    tell_end("client", role, "udp", local, [vip, 53], plain(peer), [real, 5300])
    tell_end("server", role + " server", "udp", [real, 5353], plain(peer), [real, 5300])


def echo(own, real, translated):
    client = socket_in("client", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    client.sendto(ECHO, (real, 0))
    client.recv(100)
    client.close()
    tell_end("client", "echo", "icmp", [own, None], [real, None], [translated, None])
    tell_end("server", "echo's answer", "icmp", [real, None], [translated, None])


def expired():
    """The client's host translates what it forwards; then something comes whose time is over, and it says so."""
    server = socket_in("server", socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("10.77.0.2", 6000))
    datagram = socket_in("inner", socket.AF_INET, socket.SOCK_DGRAM)
    datagram.connect(("10.77.0.2", 6000))
    datagram.send(b"x")
    server.sendto(b"x", server.recvfrom(1)[1])
    datagram.recv(1)
    ping = socket_in("inner", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ping.sendto(ECHO, ("10.77.0.2", 0))
    ping.recv(100)
    for sender, message in (datagram, b"x"), (ping, ECHO):
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        sender.sendto(message, ("10.77.0.2", 6000))
        ping.recv(100)
    peer = ["10.77.0.2", 6000]
    own = ["10.78.0.2", datagram.getsockname()[1]]
    translated = ["10.77.0.1", own[1]]
    tell_end("client", "expiry", "icmp", ["10.78.0.1", None], ["10.78.0.2", None])
    tell_end("inner", "expired datagram", "udp", own, peer)
    tell_end("client", "forwarded datagram", "udp", translated, peer)
    tell_end("client", "forwarded datagram back", "udp", peer, own)
    tell_end("server", "datagram's server", "udp", peer, translated)
    tell_end("inner", "expired echo", "icmp", ["10.78.0.2", None], ["10.77.0.2", None])
    tell_end("client", "forwarded echo", "icmp", ["10.77.0.3", None], ["10.77.0.2", None])
    tell_end("client", "forwarded echo back", "icmp", ["10.77.0.2", None], ["10.78.0.2", None])


def forwarded(listener):
    """The client's host forwards, and has no socket: its lines have the headers, in each direction."""
    own, peer, servers, clients = connect(listener, "inner", socket.AF_INET, ("10.77.0.2", 8080))
    tell_end("inner", "inner client", "tcp", own, peer)
    tell_end("server", "inner client's server", "tcp", servers, clients)
    tell_end("client", "forwarded", "tcp", clients, peer)
    tell_end("client", "forwarded back", "tcp", peer, own)


enter(namespaces["server"])
listener = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
listener.settimeout(TIMEOUT_S)
dual = socket_in("server", socket.AF_INET6, socket.SOCK_DGRAM)
dual.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
dual.bind(("::", 5353))
for version, prefix, host in ((socket.AF_INET, "10.77.0.", "127.0.0.1"), (socket.AF_INET6, "fd77::", "::1")):
    virtual = prefix.replace("77", "99") + "1"
    me, other, third = (prefix + last for last in "123")
    connections(listener, version, virtual, other, int(sys.argv[4]))
    stateless(version, virtual[:-1] + "2", other)
    loopback(version, host)
    refuse(version, me, virtual, other, third)
    datagrams(dual, version, me, virtual, other, True)
    datagrams(dual, version, me, virtual, other, False)
stray()
echo("10.77.0.1", "10.77.0.2", "10.77.0.3")
forwarded(listener)
expired()
