#!/usr/bin/env python3
"""peer.py - a small server and client for the tests of networks.

    peer.py serve tcp|udp PORT FILE [NAME]   answers each caller with "NAME ADDRESS"; FILE is
                                             made once it listens, on IPv4 and IPv6
    peer.py names udp|tcp PORT FILE          a DNS server: every A is 203.0.113.9
    peer.py name udp|tcp SERVER NAME [TYPE]  asks a DNS server; prints the code, and the answers
    peer.py noise udp SERVER COUNT           sends it COUNT packets that are wrong in all ways
    peer.py ask tcp|udp ADDRESS PORT SECONDS prints the answer; status 1 and the reason without
                                             one within that time
    peer.py insist udp ADDRESS PORT FILE     sends from one socket all the time; FILE has the last
                                             answer, or that there was none
"""
import pathlib
import random
import socket
import struct
import sys
import time

def serve(kind, port, ready, name):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    pathlib.Path(ready).touch()
    while True:
        if kind == socket.SOCK_STREAM:
            connection, peer = s.accept()
            connection.recv(100)
            connection.sendall(answer(name, peer))
            connection.close()
        else:
            _, peer = s.recvfrom(100)
            s.sendto(answer(name, peer), peer)


def answer(name, peer):
    return f"{name} {peer[0].removeprefix('::ffff:')}\n".encode()


def ask(kind, address, port, seconds):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, kind)
    s.settimeout(seconds)
    try:
        s.connect((address, port))
        # Also over TCP: the pasta of Debian 12 lets no server speak first.
        s.send(b"hello")
        print(s.recv(100).decode().strip())
    except OSError as e:
        print(e.strerror or str(e), file=sys.stderr)
        sys.exit(1)


def insist(address, port, file):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.2)
    said = pathlib.Path(file)
    while True:
        try:
            s.sendto(b"hello", (address, port))
            text = s.recv(100).decode()
            time.sleep(0.05)
        except OSError:
            text = "none\n"
        said.with_suffix(".new").write_text(text)
        said.with_suffix(".new").rename(said)


def frame(kind, packet):
    return packet if kind == socket.SOCK_DGRAM else struct.pack(">H", len(packet)) + packet


def names(kind, port, ready):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    pathlib.Path(ready).touch()
    while True:
        if kind == socket.SOCK_STREAM:
            connection, _ = s.accept()
            query = connection.recv(4096)[2:]
        else:
            query, peer = s.recvfrom(4096)
        end = query.index(b"\0", 12) + 5
        reply = query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:end]
        reply += b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton("203.0.113.9")
        if kind == socket.SOCK_STREAM:
            connection.sendall(frame(kind, reply))
            connection.close()
        else:
            s.sendto(reply, peer)


TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28}
CODES = ["ok", "formerr", "servfail", "nxdomain", "notimp", "refused"]


def wire(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def name_query(text, kind, ident):
    return struct.pack(">HHHHHH", ident, 0x100, 1, 0, 0, 0) + wire(text) + struct.pack(">HH", TYPES[kind], 1)


def read_name(packet, at):
    labels = []
    while packet[at]:
        if packet[at] >= 0xC0:
            return ".".join(labels + [read_name(packet, (packet[at] & 0x3F) << 8 | packet[at + 1])[0]]), at + 2
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def ask_name(kind, server, text, record="A"):
    s = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, kind)
    s.settimeout(60)
    ident = random.randrange(65536)
    try:
        s.connect((server, 53))
        s.send(frame(kind, name_query(text, record, ident)))
        reply = s.recv(4096)
    except OSError as e:
        print(e.strerror or str(e), file=sys.stderr)
        sys.exit(1)
    if kind == socket.SOCK_STREAM:
        reply = reply[2:]
    got, flags, _, n, _, _ = struct.unpack(">HHHHHH", reply[:12])
    if got != ident or not flags & 0x8000:
        print("no answer to the question", file=sys.stderr)
        sys.exit(1)
    words = [CODES[flags & 15]]
    at = read_name(reply, 12)[1] + 4
    for _ in range(n):
        at = read_name(reply, at)[1]
        what, _, _, size = struct.unpack(">HHIH", reply[at:at + 10])
        data = reply[at + 10:at + 10 + size]
        if what == TYPES["PTR"]:
            words.append(read_name(reply, at + 10)[0])
        else:
            words.append(socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, data))
        at += 10 + size
    print(" ".join(words))


def noise(server, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((server, 53))
    s.setblocking(False)
    rnd = random.Random(1)
    good = name_query("unknown.example", "A", 7)
    for i in range(count):
        packet = bytearray(rnd.randbytes(rnd.randrange(600)) if i % 4 == 0 else good)
        for _ in range(rnd.randrange(4)):
            if packet:
                packet[rnd.randrange(len(packet))] = rnd.randrange(256)
        try:
            s.send(bytes(packet[:rnd.randrange(len(packet) + 1)] if i % 3 == 0 else packet))
        except OSError:
            pass


def main(verb, kind, *rest):
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[kind]
    if verb == "names":
        names(kind, int(rest[0]), rest[1])
    elif verb == "name":
        ask_name(kind, *rest)
    elif verb == "noise":
        noise(rest[0], int(rest[1]))
    elif verb == "insist":
        insist(rest[0], int(rest[1]), rest[2])
    elif verb == "serve":
        serve(kind, int(rest[0]), rest[1], rest[2] if len(rest) > 2 else "server")
    else:
        ask(kind, rest[0], int(rest[1]), int(rest[2]))


main(*sys.argv[1:])
