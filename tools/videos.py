"""Puts videos for the transcoding example into a MongoDB, or counts them.

    videos.py PORT insert COUNT     inserts waiting videos; prints the time in microseconds at which they were there
    videos.py PORT count STATE      prints how many videos are in a state
"""

import sys
import time

from mongo_wire import command


def ask(port, document):
    reply = command(port, document, database="test")
    if reply.get("ok") != 1:
        sys.exit("videos: the MongoDB refused the command")
    return reply


def main():
    port, verb, argument = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    if verb == "insert":
        videos = [{"type": "mp4", "state": "waiting", "url": f"video-{i}.mp4"} for i in range(1, int(argument) + 1)]
        ask(port, {"insert": "test_collection", "documents": videos})
        print(time.time_ns() // 1000)
    else:
        print(int(ask(port, {"count": "test_collection", "query": {"state": argument}})["n"]))


main()
