"""A chat in a terminal over protocol 2: python chat.py http://127.0.0.1:8000 lobby ann

Prints what is said and changed in the room, and says what it reads, line by line. A lost connection
is made again: it resumes where it was, and what was not acknowledged is sent again under the same
ref, so that nothing is lost and nothing stands twice. Needs `pip install websockets`.
"""

import asyncio
import json
import sys
import threading
import uuid
from contextlib import suppress
from urllib.parse import urlencode

from messages import Messages
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


class Chat:
    def __init__(self, url: str, room: str, user: str) -> None:
        self.address = f"{url.rstrip('/').replace('http', 'ws', 1)}/ws?{urlencode({'user': user})}"
        self.room = room
        self.cursor: str | None = None  # of the last message or change: where to resume
        self.messages = Messages()
        self.unsent: dict[str, str] = {}  # what was not acknowledged: text by ref
        self.socket: ClientConnection | None = None  # while the room is joined
        self.wait = 0.5  # seconds; a server that stops says when it wants to be asked again

    async def run(self) -> None:
        # Comes back by itself, ever more rarely, unless the server refuses for good.
        async for socket in connect(self.address, subprotocols=["hubbub.v2"]):
            with suppress(ConnectionClosed):
                join = {"after": self.cursor} if self.cursor else {}
                await socket.send(json.dumps({"type": "join", "room": self.room, "payload": join}))
                async for frame in socket:
                    for line in frame.split("\n"):
                        await self.receive(socket, **json.loads(line))
            self.socket = None
            if (socket.close_code or 0) >= 4500:
                sys.exit(f"The server closed: {socket.close_code} {socket.close_reason}")
            await asyncio.sleep(self.wait)

    async def receive(self, socket: ClientConnection, type: str, payload: dict, **_) -> None:
        if type in ("chat_message", "message_changed"):
            self.cursor = max(self.cursor or "", payload["cursor"])
            self.unsent.pop(payload.get("ref"), None)  # none but the sender gets it
            self.messages.take(type, payload)
        elif type == "joined":
            print(f"* {payload['user_count']} in {self.room}", flush=True)
            self.socket = socket
            await self.send(*self.unsent)
        elif type in ("error", "left"):  # types that are not known are passed over
            print(f"! {payload['code']}: {payload['message']}", file=sys.stderr, flush=True)
            if payload["code"] in ("rate_limited", "internal", "not_stored", "unavailable"):
                await asyncio.sleep(payload.get("retry_after_ms", 1000) / 1000)
                return await self.send(payload.get("ref"))
            self.unsent.pop(payload.get("ref"), None)
        elif type == "draining":
            self.wait = payload["reconnect_after_ms"] / 1000

    async def send(self, *refs: str) -> None:
        with suppress(ConnectionClosed):  # it is sent again
            for ref in refs:
                if self.socket and (text := self.unsent.get(ref)) is not None:
                    message = {"room": self.room, "payload": {"text": text, "ref": ref}}
                    await self.socket.send(json.dumps({"type": "chat_message"} | message))


async def main(url: str, room: str, user: str) -> None:
    chat, lines, loop = Chat(url, room, user), asyncio.Queue(), asyncio.get_running_loop()

    def read() -> None:
        while line := sys.stdin.readline():
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    running = asyncio.create_task(chat.run())
    running.add_done_callback(lambda _: lines.put_nowait(""))
    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        ref = str(uuid.uuid4())
        chat.unsent[ref] = line.rstrip("\n")
        await chat.send(ref)
    while chat.unsent and not running.done():
        await asyncio.sleep(0.05)
    if running.done():
        running.result()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except InvalidStatus as error:
        sys.exit(f"The server refused: {error.response.body.decode()}")
