# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a name server over UDP and TCP, and by getaddrinfo; writes what it asked and was told.

usage: dns_load.py PORT ROUNDS MIDDLE     MIDDLE 1: sockets are open and used before "ready"
"""
import json
import socket
import sys
from collections import Counter

import dns.flags
import dns.message
import dns.query
import dns.rcode

HOST = "127.0.0.1"
TYPES = ("A", "AAAA", "MX", "TXT", "SRV", "PTR", "NS", "SOA", "CAA", "HTTPS", "DS")
did = Counter()


def told(query, answer):
    q = query.question[0]
    did[f"{q.name} {dns.rdatatype.to_text(q.rdtype)} {dns.rcode.to_text(answer.rcode())}"] += 1


def ask(i):
    return dns.message.make_query(f"{'no' if i % 7 == 6 else 'n'}{i % 20}.obi.test.", TYPES[i % len(TYPES)])


def over_udp(port, sock, rounds):
    for i in range(rounds):
        q = ask(i)
        told(q, dns.query.udp(q, HOST, port=port, timeout=20, sock=sock if i % 2 else None))


def over_tcp(port, sock, rounds):
    """One connection; every fourth time three at once, whose answers may come in any order."""
    for i in range(rounds):
        batch = [ask(i + k) for k in range(3 if i % 4 == 0 else 1)]
        for q in batch:
            dns.query.send_tcp(sock, q)
        for _ in batch:
            a, _ = dns.query.receive_tcp(sock)
            told(next(q for q in batch if q.id == a.id), a)


def big(port):
    """Too long for a datagram: asked again over TCP."""
    q = dns.message.make_query("big.obi.test.", "TXT")
    told(q, dns.query.udp(q, HOST, port=port, timeout=20, ignore_trailing=True))
    told(q, dns.query.tcp(q, HOST, port=port, timeout=20))


def resolve(rounds):
    """The resolver of the C library asks for A and AAAA at once."""
    for i in range(rounds):
        name = f"n{i % 20}.obi.test"
        socket.getaddrinfo(name, 80, proto=socket.IPPROTO_TCP)
        did[f"{name}. A NOERROR"] += 1
        did[f"{name}. AAAA NOERROR"] += 1


def main():
    port, rounds, middle = map(int, sys.argv[1:4])
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    tcp = socket.create_connection((HOST, port))
    if middle:
        dns.query.udp(ask(0), HOST, port=port, timeout=20, sock=udp)
        dns.query.send_tcp(tcp, ask(0))
        dns.query.receive_tcp(tcp)
        print("ready", flush=True)
        sys.stdin.readline()
    over_udp(port, udp, rounds)
    over_tcp(port, tcp, rounds // 2)
    for _ in range(10):
        big(port)
    resolve(rounds // 10)
    print(json.dumps(did), flush=True)


if __name__ == "__main__":
    main()
