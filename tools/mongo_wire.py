"""Just enough of MongoDB's wire protocol (OP_MSG and BSON) for the scripts beside it: there is no mongosh to rely on."""

import socket
import struct


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
            elif kind == 0x12:
                fields[key] = struct.unpack_from("<q", data, at)[0]
        at += size
    return fields


def command(port, document, database="admin"):
    """Sends one command and returns the top level of its reply."""
    message = struct.pack("<iii", 1, 0, 2013) + struct.pack("<i", 0) + b"\0" + encode({**document, "$db": database})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<i", len(message) + 4) + message)
        stream = connection.makefile("rb")
        size = struct.unpack("<i", stream.read(4))[0]
        return decode(stream.read(size - 4)[17:])
