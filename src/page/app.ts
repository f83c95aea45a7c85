/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The chat page: a door where a name and a room are chosen, and the room.
 *
 * `{base}/` is the door, `{base}/r/{room}` a room; its address is an invitation. `#token={jwt}` at
 * its end lets one in where the server asks for a token, and never reaches a server's log.
 *
 * @module
 */

import { createClient } from "../client/mod.ts";
import { decodeRoom } from "../protocol/mod.ts";
import { setUpAbout } from "./about.ts";
import { openDoor } from "./door.ts";
import { tokenIn } from "./invitation.ts";
import { Memory } from "./memory.ts";
import { RoomView } from "./room_view.ts";
import { Site } from "./site.ts";

const site = new Site(import.meta.url);
const memory = new Memory(site.base.pathname);
const token = tokenIn(location.hash);
if (token !== undefined) {
  memory.token = token;
  history.replaceState(null, "", location.pathname);
}
const invited = site.roomIn(location.pathname);
const isNamed = memory.user !== "" || memory.token !== undefined;
let path = location.pathname;
let view: RoomView | undefined;

site.fixAddresses();
for (const type of ["popstate", "hashchange"]) addEventListener(type, moveOn);

if (decodeRoom(invited).ok && isNamed) enter(memory.user, invited);
else {
  setUpAbout(site, undefined);
  openDoor({
    user: memory.user,
    room: invited || memory.room || "lobby",
    onEnter: ({ user, room }) => {
      memory.user = user;
      // Not a new page: where the browser may not remember anything, the name would be lost.
      const page = site.pageOf(room);
      if (location.href !== page) history.pushState(null, "", page);
      path = location.pathname;
      enter(user, room);
    },
  });
}

function enter(user: string, room: string): void {
  memory.room = room;
  setUpAbout(site, room);
  const { token } = memory;
  const client = createClient(site.base, token === undefined ? { user } : { token });
  view = new RoomView({ site, client, room, user, memory });
}

/** The address has changed without a new page: back to the door, or by another invitation. */
function moveOn(): void {
  if (tokenIn(location.hash) === undefined && location.pathname === path) return;
  if (view) view.reload();
  else location.reload();
}
