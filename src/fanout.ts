/**
 * How isolates tell each other what happened.
 *
 * @module
 */

import { clearImmediate, setImmediate } from "node:timers";

/** The name of the channel: one for everything, since all names of a process share one ring. */
const CHANNEL = "hubbub.v1";

/** Messages were delivered in a room: those of the log between two cursors. */
export interface MessagesPacket {
  /** Which packet this is. */
  readonly kind: "messages";
  /** The isolate that posts it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Where the poster stood before. */
  readonly prev: string;
  /** Where it stands now. */
  readonly cursor: string;
  /** The envelopes between the two; none where reading the log is cheaper than sending them. */
  readonly lines: readonly string[];
}

/** A user began or stopped typing on an isolate, or still is. */
export interface TypingPacket {
  /** Which packet this is. */
  readonly kind: "typing";
  /** The isolate that posts it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Who. */
  readonly user: string;
  /** Whether they are typing. */
  readonly status: boolean;
}

/** A user's first connection to an isolate came, or the last one went. */
export interface PresencePacket {
  /** Which packet this is. */
  readonly kind: "presence";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many such changes the isolate has seen, this one included. */
  readonly revision: number;
  /** The room. */
  readonly room: string;
  /** Who. */
  readonly user: string;
  /** Whether they are there now. */
  readonly status: boolean;
}

/** Everybody who is connected to an isolate. */
export interface RosterPacket {
  /** Which packet this is. */
  readonly kind: "roster";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many changes it has seen. */
  readonly revision: number;
  /** By room, who is there. */
  readonly rooms: readonly (readonly [room: string, users: readonly string[]])[];
}

/** An isolate is still there. */
export interface AlivePacket {
  /** Which packet this is. */
  readonly kind: "alive";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many changes of presence it has seen: whoever knows fewer has missed some. */
  readonly revision: number;
}

/** An isolate wants to know who is connected to another. */
export interface AskPacket {
  /** Which packet this is. */
  readonly kind: "ask";
  /** The isolate that posts it. */
  readonly from: string;
  /** Whom it asks; all where it is left out. */
  readonly of?: string;
}

/** An isolate stops, and its members are gone. */
export interface ByePacket {
  /** Which packet this is. */
  readonly kind: "bye";
  /** The isolate that posts it. */
  readonly from: string;
}

/** What isolates tell each other. Plain JSON values. */
export type Packet =
  | MessagesPacket
  | TypingPacket
  | PresencePacket
  | RosterPacket
  | AlivePacket
  | AskPacket
  | ByePacket;

/**
 * Carries packets between the isolates that share a log. It may drop, repeat and reorder them:
 * the hub heals messages from the log, presence and typing by repetition and expiry. It should be
 * fast, and reach every isolate that it reaches at all.
 *
 * An implementation MUST NOT throw from `publish`, MUST NOT call the listener from within
 * `publish`, and MAY hand an isolate its own packets: they are ignored.
 *
 * @example
 * ```ts
 * import { type Fanout, Hub, RoomLog } from "@hubbub/hub";
 *
 * // Reaches hubs of the same process that are given the same set.
 * class LocalFanout implements Fanout {
 *   #listener: (packet: unknown) => void = () => {};
 *   constructor(readonly all: Set<LocalFanout>) {
 *     all.add(this);
 *   }
 *   publish(packet: unknown) {
 *     for (const { hear } of this.all) queueMicrotask(() => hear(packet));
 *   }
 *   subscribe(listener: (packet: unknown) => void) {
 *     this.#listener = listener;
 *   }
 *   close() {
 *     this.all.delete(this);
 *   }
 *   hear = (packet: unknown) => this.#listener(packet);
 * }
 *
 * using kv = await Deno.openKv(":memory:");
 * const all = new Set<LocalFanout>();
 * await using here = new Hub(new RoomLog(kv), { fanout: new LocalFanout(all) });
 * await using there = new Hub(new RoomLog(kv), { fanout: new LocalFanout(all) });
 * console.log(here.reach, there.reach); // fanout fanout
 * ```
 */
export interface Fanout {
  /**
   * Sends a packet to all other isolates, at some time soon.
   *
   * @param packet The packet: plain JSON values.
   */
  publish(packet: Packet): void;
  /**
   * Names who takes what arrives. Called once, before the first `publish`.
   *
   * @param listener Takes whatever came in; it checks the shape and does not throw.
   */
  subscribe(listener: (packet: unknown) => void): void;
  /** Sends what waits, and stops: what is published later is dropped. */
  close(): void;
}

/**
 * Reaches the isolates of this process over `BroadcastChannel`; it never crosses processes. Deno
 * drops without a sign what comes while a receiver is 256 posts behind, so everything that is
 * published in one turn of the event loop goes out in one post.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, Hub, RoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new RoomLog(kv), { fanout: new BroadcastChannelFanout() });
 * console.log(hub.reach); // fanout
 * ```
 */
export class BroadcastChannelFanout implements Fanout {
  readonly #channel: BroadcastChannel;
  #waiting: Packet[] = [];
  #timer: ReturnType<typeof setImmediate> | undefined;
  #isClosed = false;

  /**
   * Opens the channel.
   *
   * @param name Its name; isolates of different hubs in one process need different ones.
   */
  constructor(name: string = CHANNEL) {
    this.#channel = new BroadcastChannel(name);
  }

  /**
   * Sends a packet with the next post.
   *
   * @param packet The packet.
   */
  publish(packet: Packet): void {
    // A closed channel throws when something is posted.
    if (this.#isClosed) return;
    this.#waiting.push(packet);
    this.#timer ??= setImmediate(() => this.#flush());
  }

  /**
   * Names who takes what arrives.
   *
   * @param listener Takes each packet.
   */
  subscribe(listener: (packet: unknown) => void): void {
    this.#channel.onmessage = ({ data }) => {
      for (const packet of parse(data)) listener(packet);
    };
  }

  /** Sends what waits, and closes the channel. */
  close(): void {
    this.#flush();
    this.#isClosed = true;
    this.#channel.close();
  }

  #flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const packets = this.#waiting;
    this.#waiting = [];
    // One string crosses much faster than the same as objects.
    this.#channel.postMessage(JSON.stringify(packets));
  }
}

/**
 * Checks the shape of what a fan-out brought.
 *
 * @param value Whatever came in.
 * @returns The packet, or undefined where it is none that this version knows.
 */
export function decodePacket(value: unknown): Packet | undefined {
  if (!isObject(value) || !isText(value.from) || !isKind(value.kind)) return undefined;
  return CHECKS[value.kind](value) ? value as unknown as Packet : undefined;
}

type Fields = Record<string, unknown>;

const CHECKS: { readonly [Kind in Packet["kind"]]: (value: Fields) => boolean } = {
  messages: ({ room, prev, cursor, lines }) =>
    isText(room) && isText(prev) && isText(cursor) && isTexts(lines),
  typing: ({ room, user, status }) => isText(room) && isText(user) && typeof status === "boolean",
  presence: ({ revision, room, user, status }) =>
    isCount(revision) && isText(room) && isText(user) && typeof status === "boolean",
  roster: ({ revision, rooms }) =>
    isCount(revision) && Array.isArray(rooms) &&
    rooms.every((row) => Array.isArray(row) && isText(row[0]) && isTexts(row[1])),
  alive: ({ revision }) => isCount(revision),
  ask: ({ of }) => of === undefined || isText(of),
  bye: () => true,
};

function parse(data: unknown): unknown[] {
  try {
    const value: unknown = JSON.parse(String(data));
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // Not ours: anybody may post to a channel of this name.
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isKind(value: unknown): value is Packet["kind"] {
  // What every object has, such as "constructor", is no kind.
  return isText(value) && Object.hasOwn(CHECKS, value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
