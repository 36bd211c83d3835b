"""Makes a fresh mongod ready: waits until it answers, initiates a replica set of one, makes the first user.

There is no mongosh here, so this speaks the wire protocol (OP_MSG) itself, with just enough BSON for that.
"""

import socket
import struct
import sys
import time

DEADLINE = time.monotonic() + 60


def encode(document):
    body = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + name + (b"\1" if value else b"\0")
        elif isinstance(value, int):
            body += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + name + struct.pack("<i", len(text)) + text
        elif isinstance(value, dict):
            body += b"\x03" + name + encode(value)
        else:
            body += b"\x04" + name + encode({str(i): v for i, v in enumerate(value)})
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def decode(data):
    """The top-level numbers, booleans and strings of a document."""
    fields, at = {}, 4
    sizes = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8}
    while data[at]:
        kind = data[at]
        end = data.index(0, at + 1)
        key, at = data[at + 1 : end].decode(), end + 1
        if kind in (0x03, 0x04):
            size = struct.unpack_from("<i", data, at)[0]
        elif kind == 0x02:
            size = 4 + struct.unpack_from("<i", data, at)[0]
            fields[key] = data[at + 4 : at + size - 1].decode()
        elif kind == 0x05:
            size = 5 + struct.unpack_from("<i", data, at)[0]
        else:
            size = sizes[kind]
            if kind == 0x01:
                fields[key] = struct.unpack_from("<d", data, at)[0]
            elif kind == 0x08:
                fields[key] = bool(data[at])
            elif kind == 0x10:
                fields[key] = struct.unpack_from("<i", data, at)[0]
        at += size
    return fields


def command(port, document):
    message = struct.pack("<iii", 1, 0, 2013) + struct.pack("<i", 0) + b"\0" + encode({**document, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<i", len(message) + 4) + message)
        stream = connection.makefile("rb")
        size = struct.unpack("<i", stream.read(4))[0]
        return decode(stream.read(size - 4)[17:])


def until(what, attempt):
    last = None
    while time.monotonic() < DEADLINE:
        try:
            last = attempt()
            if last is True:
                return
        except OSError as error:
            last = error
        time.sleep(0.02)
    sys.exit(f"mongod: {what} did not happen within a minute: {last}")


def initiate(port):
    config = {
        "_id": "rs0",
        "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}],
        "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200},
    }
    reply = command(port, {"replSetInitiate": config})
    # 23: it already is one. 13: it already is one, with users.
    return reply.get("ok") == 1 or reply.get("code") in (13, 23) or reply


def create_root(port):
    reply = command(port, {"createUser": "root", "pwd": "root", "roles": ["root"]})
    # 51003: there is one. 13: there is one, and so this connection may not ask.
    return reply.get("ok") == 1 or reply.get("code") in (13, 51003) or reply


def main():
    port, options = int(sys.argv[1]), sys.argv[2:]
    until("an answer", lambda: command(port, {"hello": 1}).get("ok") == 1)
    if "--replset" in options:
        until("the replica set", lambda: initiate(port))
        until("a primary", lambda: command(port, {"hello": 1}).get("isWritablePrimary") is True)
    if "--auth" in options:
        until("the first user", lambda: create_root(port))


main()
