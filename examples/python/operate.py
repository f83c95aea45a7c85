"""Runs a Hubbub server by HTTP alone, as a backend does: with nothing but Python itself.

    HUBBUB_ADMIN_TOKEN=… python operate.py http://127.0.0.1:8000

It posts to a room, puts somebody out, copies the room into another one, and says what it did.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000"
TOKEN = os.environ["HUBBUB_ADMIN_TOKEN"]


class Refused(Exception):
    """What the server does not do, and why."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


def ask(method, path, body=None, **query):
    """Sends a request, and returns the answer as it comes."""
    if query:
        path += "?" + urllib.parse.urlencode(query)
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        problem = json.load(error)["error"]
        raise Refused(error.code, problem["code"], problem["message"]) from None


def rooms():
    """All rooms, page by page."""
    after = ""
    while after is not None:
        with ask("GET", "/rooms", limit=100, after=after) as answer:
            page = json.load(answer)
        yield from (room["room"] for room in page["rooms"])
        after = page["next"]


def export(room):
    """The messages of a room, one by one: it may be longer than memory."""
    with ask("GET", f"/rooms/{room}/export") as lines:
        for line in lines:
            yield json.loads(line)


def copy(room, to):
    """Copies a room. Answers lead to the copies, also where they are many requests apart."""
    places = {}
    batch = []

    def store():
        with ask("POST", f"/rooms/{to}/import", {"messages": batch}) as answer:
            cursors = json.load(answer)["cursors"]
        places.update((message["cursor"], cursor) for message, cursor in zip(batch, cursors))
        batch.clear()

    for message in export(room):
        if "reply_to" in message:
            message["reply_to"] = places.get(message["reply_to"], message["reply_to"])
        batch.append(message)
        if len(batch) == 500:
            store()
    if batch:
        store()
    return len(places)


def main():
    with ask("POST", "/rooms/lobby/messages", {"user": "desk", "text": "Good morning"}) as answer:
        first = json.load(answer)
    reply = {"user": "mallory", "text": "Buy this", "reply_to": first["cursor"]}
    ask("POST", "/rooms/lobby/messages", reply).close()

    # Out of all rooms, for an hour.
    ban = {"user": "mallory", "kind": "ban", "seconds": 3600, "reason": "spam"}
    ask("POST", "/sanctions", ban).close()
    try:
        ask("POST", "/rooms/attic/messages", {"user": "mallory", "text": "And this"})
    except Refused as refused:
        print("refused:", refused.code)
    with ask("GET", "/sanctions") as answer:
        print("banned:", ", ".join(s["user"] for s in json.load(answer)["sanctions"]))

    print("copied:", copy("lobby", "archive"))
    texts = [message.get("text") for message in export("archive")]
    print("archive:", "; ".join(texts))
    print("rooms:", ", ".join(rooms()))

    ask("DELETE", "/sanctions", user="mallory").close()
    ask("POST", "/rooms/attic/messages", {"user": "mallory", "text": "Sorry"}).close()
    print("rooms:", ", ".join(rooms()))


if __name__ == "__main__":
    main()
