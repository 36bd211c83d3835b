"""Makes a fresh mongod ready: waits until it answers, initiates a replica set of one, makes the first user."""

import sys
import time

from mongo_wire import command

DEADLINE = time.monotonic() + 60


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
