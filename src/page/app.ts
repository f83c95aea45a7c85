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

import { decodeRoom } from "../protocol/mod.ts";
import { setUpAbout } from "./about.ts";
import { ChatPage } from "./chat_page.ts";
import { openDoor } from "./door.ts";
import { tokenIn } from "./invitation.ts";
import { Memory } from "./memory.ts";
import { Site } from "./site.ts";

const site = new Site(import.meta.url);
const memory = new Memory(site.base.pathname);
const token = tokenIn(location.hash);
if (token !== undefined) {
  memory.token = token;
  history.replaceState(null, "", location.pathname);
}
const linked = messageIn(location.hash);
const invited = site.roomIn(location.pathname);
const isNamed = memory.user !== "" || memory.token !== undefined;
let page: ChatPage | undefined;

site.fixAddresses();
for (const type of ["popstate", "hashchange"]) addEventListener(type, moveOn);

if (decodeRoom(invited).ok && isNamed) enter(memory.user, invited, linked);
else {
  setUpAbout(site, undefined);
  openDoor({
    user: memory.user,
    room: invited || memory.room || "lobby",
    onEnter: ({ user, room }) => {
      memory.user = user;
      // Not a new page: where the browser may not remember anything, the name would be lost.
      const address = site.pageOf(room);
      if (location.href !== address) history.pushState(null, "", address);
      enter(user, room, room === invited ? linked : undefined);
    },
  });
}

function enter(user: string, room: string, at?: string): void {
  page = new ChatPage({ site, user, memory });
  page.open(room, at);
}

/** The message that a link leads to: `#at=` and its cursor. */
function messageIn(hash: string): string | undefined {
  return hash.match(/^#at=([\w-]+)$/)?.[1];
}

/** The address has changed without a new page: to another room, back to the door, or by an invitation. */
function moveOn(): void {
  const room = site.roomIn(location.pathname);
  if (tokenIn(location.hash) === undefined && page) {
    if (decodeRoom(room).ok) return page.open(room, messageIn(location.hash));
  } else if (!page && room === invited && tokenIn(location.hash) === undefined) return;
  if (page) page.reload();
  else location.reload();
}
