/**
 * The rooms on the page.
 *
 * @module
 */

import { type ChatClient, createClient } from "../client/mod.ts";
import { setUpAbout } from "./about.ts";
import { Badge } from "./badge.ts";
import { find } from "./elements.ts";
import type { Memory } from "./memory.ts";
import { Notices } from "./notices.ts";
import { LocalRoomMarks, type RoomMarks } from "./room_marks.ts";
import { ServerRoomMarks } from "./server_room_marks.ts";
import { RoomShelf, type ShelvedRoom } from "./room_shelf.ts";
import { RoomSwitcher } from "./room_switcher.ts";
import { RoomView } from "./room_view.ts";
import { RoomsColumn } from "./rooms_column.ts";
import type { Site } from "./site.ts";

/** The options of {@linkcode ChatPage}. */
export interface ChatPageOptions {
  /** The server. */
  readonly site: Site;
  /** What outlasts the page. */
  readonly memory: Memory;
  /** The reader's name; with a token, the server knows it. */
  readonly user: string;
}

/** One open room, and beside it the others that the reader has been in: on one connection. */
export class ChatPage {
  readonly #options: ChatPageOptions;
  readonly #client: ChatClient;
  readonly #column: RoomsColumn;
  readonly #switcher: RoomSwitcher;
  readonly #badge = new Badge();
  readonly #notices: Notices;
  /** The room as it is before anything is shown in it. */
  readonly #empty = find("room", HTMLElement).cloneNode(true) as HTMLElement;
  #marks: RoomMarks | undefined;
  #shelf: RoomShelf | undefined;
  #view: RoomView | undefined;
  #room = "";

  /** @param options The reader. */
  constructor(options: ChatPageOptions) {
    const { site, memory, user } = this.#options = options;
    const { token } = memory;
    const client = this.#client = createClient(
      site.base,
      token === undefined ? { user } : { token },
    );
    this.#notices = new Notices({ memory, open: (room) => this.go(room) });
    this.#switcher = new RoomSwitcher({
      rooms: () => this.#shelf?.rooms ?? [],
      open: (room) => this.go(room),
    });
    this.#column = new RoomsColumn({
      pageOf: (room) => site.pageOf(room),
      open: (room) => this.go(room),
      choose: () => this.#switcher.toggle(),
      mute: (room, isMuted) => {
        this.#marks?.mute(room, isMuted);
        this.#shelf?.update();
      },
      leave: (room) => this.#leave(room),
    });
    addEventListener("keydown", (event) => this.#pressed(event));
    client.subscribe(() => this.#know());
  }

  /** The open room. */
  get room(): string {
    return this.#room;
  }

  /**
   * Opens a room, as a step that the browser can take back.
   *
   * @param room Its name.
   */
  go(room: string): void {
    const page = this.#options.site.pageOf(room);
    if (room !== this.#room && location.href !== page) history.pushState(null, "", page);
    this.open(room);
  }

  /**
   * Opens the room that the address names.
   *
   * @param room Its name.
   * @param at A message in it to go to.
   */
  open(room: string, at?: string): void {
    if (room === this.#room) {
      if (at !== undefined) this.#view?.goTo(at);
      return;
    }
    const { site, memory, user } = this.#options;
    if (this.#view) {
      this.#view.close();
      find("room", HTMLElement).replaceWith(this.#empty.cloneNode(true));
    }
    this.#room = this.#badge.room = memory.room = room;
    this.#know();
    setUpAbout(site, room);
    this.#view = new RoomView({
      site,
      client: this.#client,
      room,
      user,
      memory,
      read: () => this.#marks?.rooms.find((known) => known.room === room)?.read,
      at,
      onRead: (cursor) => this.#shelf?.read(room, cursor),
    });
    this.#column.current = room;
    this.#marks?.add(room);
    this.#shelf?.update();
  }

  /** Loads the page anew. */
  reload(): void {
    if (this.#view) this.#view.reload();
    else location.reload();
  }

  /** Takes the rooms of before, once it is known whose they are. */
  #know(): void {
    const { memory, user } = this.#options;
    const known = memory.token === undefined ? user : this.#client.user || memory.tokenUser;
    if (this.#shelf || !known) return;
    const onChange = () => this.#shelf?.update();
    // In an open hub anybody may take any name: the server keeps nothing of it.
    const marks = this.#marks = memory.token === undefined
      ? new LocalRoomMarks(memory, known, onChange)
      : new ServerRoomMarks({ client: this.#client, memory, user: known, onChange });
    const shelf = this.#shelf = new RoomShelf({
      client: this.#client,
      marks,
      onChange: (rooms) => this.#changed(rooms),
      onMessage: ({ room, isMuted }, message, isMention) => {
        if (room === this.#room) this.#badge.came();
        if (isMention && !isMuted) this.#notices.mentioned(room, message);
      },
    });
    if (!this.#view) return;
    marks.add(this.#room);
    shelf.update();
  }

  #changed(rooms: readonly ShelvedRoom[]): void {
    this.#column.show(rooms);
    const others = rooms.filter(({ room, isMuted }) => room !== this.#room && !isMuted);
    this.#badge.elsewhere = others.reduce((sum, { mentions }) => sum + mentions, 0);
  }

  #leave(room: string): void {
    this.#marks?.forget(room);
    if (room !== this.#room) return this.#shelf?.update();
    const [next] = this.#marks?.rooms ?? [];
    if (!next) return location.assign(this.#options.site.base);
    this.go(next.room);
  }

  #pressed(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (key.toLowerCase() === "k" && (ctrlKey || metaKey) && !altKey && !shiftKey) {
      event.preventDefault();
      return this.#switcher.toggle();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (!altKey || ctrlKey || metaKey || step === undefined) return;
    event.preventDefault();
    this.#step(step, shiftKey);
  }

  /** Goes to the next room in the column, or to the next one with something unread. */
  #step(step: number, isForUnread: boolean): void {
    const rooms = this.#shelf?.rooms ?? [];
    const at = rooms.findIndex(({ room }) => room === this.#room);
    for (let count = 1; count < rooms.length; count++) {
      const next = rooms.at((at + count * step) % rooms.length);
      if (!next || isForUnread && next.unread === 0) continue;
      return this.go(next.room);
    }
  }
}
