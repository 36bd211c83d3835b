"""Puts videos for the transcoding example into a MongoDB, or counts them.

    videos.py PORT insert COUNT     inserts waiting videos; prints the time in microseconds at which they were there
    videos.py PORT count STATE      prints how many videos are in a state

Speaks the wire protocol (OP_MSG) itself, with just enough BSON for that, so that nothing has to be installed.
"""

import socket
import struct
import sys
import time


def encode(document):
    body = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, int):
            body += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + name + struct.pack("<i", len(text)) + text
        elif isinstance(value, dict):
            body += b"\x03" + name + encode(value)
        else:
            body += b"\x04" + name + encode({str(i): entry for i, entry in enumerate(value)})
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def number(reply, key):
    """A top-level number of a reply; good enough for replies whose keys are known and short."""
    for kind, form in ((0x01, "<d"), (0x10, "<i"), (0x12, "<q")):
        at = reply.find(bytes([kind]) + key.encode() + b"\0")
        if at >= 0:
            return struct.unpack_from(form, reply, at + len(key) + 2)[0]
    return None


def command(port, document):
    message = struct.pack("<iii", 1, 0, 2013) + struct.pack("<i", 0) + b"\0" + encode({**document, "$db": "test"})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<i", len(message) + 4) + message)
        stream = connection.makefile("rb")
        size = struct.unpack("<i", stream.read(4))[0]
        reply = stream.read(size - 4)
    if number(reply, "ok") != 1:
        sys.exit("videos: the MongoDB refused the command")
    return reply


def main():
    port, verb, argument = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    if verb == "insert":
        videos = [{"type": "mp4", "state": "waiting", "url": f"video-{i}.mp4"} for i in range(1, int(argument) + 1)]
        command(port, {"insert": "test_collection", "documents": videos})
        print(time.time_ns() // 1000)
    else:
        print(number(command(port, {"count": "test_collection", "query": {"state": argument}}), "n"))


main()
