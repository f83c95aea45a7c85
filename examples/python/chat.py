"""A chat in a terminal over protocol 2: python chat.py http://127.0.0.1:8000 lobby ann

Prints what is said in the room and says what it reads, line by line. A lost connection is made
again: the room resumes after the last message, and what was not acknowledged is sent again under
the same ref, so that nothing is lost and nothing stands twice. Needs `pip install websockets`.
"""

import asyncio
import json
import sys
import threading
import uuid
from contextlib import suppress
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


class Chat:
    def __init__(self, url: str, room: str, user: str) -> None:
        self.address = f"{url.rstrip('/').replace('http', 'ws', 1)}/ws?{urlencode({'user': user})}"
        self.room = room
        self.cursor: str | None = None  # of the last message: where to resume
        self.unsent: dict[str, str] = {}  # what was not acknowledged: text by ref
        self.socket: ClientConnection | None = None  # while the room is joined
        self.wait = 0.0  # seconds after which a server that stops wants to be asked again

    async def run(self) -> None:
        # Comes back by itself, ever more rarely, unless the server refuses for good.
        async for socket in connect(self.address, subprotocols=["hubbub.v2"]):
            with suppress(ConnectionClosed):
                await self.send(socket, "join", {"after": self.cursor} if self.cursor else {})
                async for frame in socket:
                    for line in frame.split("\n"):
                        await self.receive(socket, json.loads(line))
            self.socket = None
            if (socket.close_code or 0) >= 4500:
                sys.exit(f"The server closed: {socket.close_code} {socket.close_reason}")
            await asyncio.sleep(self.wait or 0.5)
            self.wait = 0.0

    async def send(self, socket: ClientConnection, type: str, payload: dict) -> None:
        await socket.send(json.dumps({"type": type, "room": self.room, "payload": payload}))

    async def receive(self, socket: ClientConnection, envelope: dict) -> None:
        payload = envelope["payload"]
        match envelope["type"]:  # types that are not known are passed over
            case "chat_message":
                self.cursor = payload["cursor"]
                self.unsent.pop(payload.get("ref"), None)  # none but the sender gets it
                print(f"{payload['user']}: {payload['text']}", flush=True)
            case "joined":
                print(f"* {payload['user_count']} in {self.room}", flush=True)
                self.socket = socket
                await self.say(*self.unsent)
            case "error":
                print(f"! {payload['code']}: {payload['message']}", file=sys.stderr, flush=True)
                ref = payload.get("ref")
                if payload["code"] in ("rate_limited", "internal", "not_stored", "unavailable"):
                    await asyncio.sleep(payload.get("retry_after_ms", 1000) / 1000)
                    await self.say(*[ref] if ref else [])
                else:
                    self.unsent.pop(ref, None)
            case "draining":
                self.wait = payload["reconnect_after_ms"] / 1000

    async def say(self, *refs: str) -> None:
        with suppress(ConnectionClosed):  # it is sent again
            for ref in refs:
                if self.socket and (text := self.unsent.get(ref)) is not None:
                    await self.send(self.socket, "chat_message", {"text": text, "ref": ref})


async def main(url: str, room: str, user: str) -> bool:
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
        await chat.say(ref)
    while chat.unsent and not running.done():
        await asyncio.sleep(0.05)
    return running.done() and running.result()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except InvalidStatus as error:
        sys.exit(f"The server refused: {error.response.body.decode()}")
