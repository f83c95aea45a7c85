/**
 * A fan-out over PostgreSQL.
 *
 * @module
 */

import {
  parsePostgresAddress,
  type PostgresAddress,
} from "../../store/postgres/postgres_address.ts";
import { PostgresListener } from "../../store/postgres/postgres_listener.ts";
import type { Fanout, FanoutHub } from "../fanout.ts";

/** Bytes that a notification may have: PostgreSQL takes fewer than 8,000. */
const PAYLOAD_MAX_BYTES = 7_900;
/** Bytes that the sender and the room take in front of a message. */
const HEAD_BYTES = 120;
/** Bytes that may wait to be sent: what is published beyond them is dropped. */
const WAITING_MAX_BYTES = 4 * 1024 * 1024;
/** Notifications that one statement sends. */
const BATCH = 200;
/** Milliseconds that the server has at the end to take what was published. */
const CLOSE_MS = 250;

/** How {@linkcode PostgresFanout} connects. */
export interface PostgresFanoutOptions {
  /** The schema of the logs, which keeps hubs of different logs apart. @default {"hubbub"} */
  readonly schema?: string;
}

const encoder = new TextEncoder();

/**
 * A fan-out over the notifications of the PostgreSQL that holds the logs, for a few machines without
 * a broker. What is published together goes out in one statement; a message of more than 7,780
 * bytes is cut down to a nudge, and read from the log. It connects again for ever.
 *
 * @example
 * ```ts
 * import { Hub } from "@hubbub/hub";
 * import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
 *
 * const [url] = Deno.args; // such as postgres://hubbub@db.example.com/hubbub?sslmode=verify-full
 * if (url) {
 *   await using log = await PostgresRoomLog.open(url);
 *   await using hub = new Hub(log, { fanout: new PostgresFanout(url) });
 *   await hub.publish("lobby", "ann", { text: "hello" });
 * }
 * ```
 */
export class PostgresFanout implements Fanout {
  /** The longest message that a notification holds, in bytes. */
  readonly messageMaxBytes: number = PAYLOAD_MAX_BYTES - HEAD_BYTES;
  readonly #address: PostgresAddress;
  readonly #channel: string;
  /** Tells what it has sent itself from what others have. */
  readonly #id = crypto.randomUUID().slice(0, 8);
  readonly #rooms = new Set<string>();
  #listener: PostgresListener | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #sending: Promise<void> | undefined;
  #isConnected = false;
  #isClosed = false;
  #dropped = 0;
  #onConnected: () => void = () => {};
  #report: (error: unknown) => void = () => {};
  /** What was reported last, so that each outage is reported once. */
  #reported: string | undefined;

  /**
   * Does nothing yet: the hub connects it.
   *
   * @param url The address of the server itself, not of a pooler.
   * @param options Which logs it is for.
   * @throws {TypeError} Where the address is none; the message holds no password.
   */
  constructor(url: string, options: PostgresFanoutOptions = {}) {
    this.#address = parsePostgresAddress(url);
    this.#channel = `${options.schema ?? "hubbub"}_fanout`;
  }

  /** Whether it is connected. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Messages that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Sets the listener, and connects.
   *
   * @param listener Receives each message.
   * @param hub Logs why it is not connected.
   * @returns Settles when it is connected for the first time, or closed.
   */
  async subscribe(listener: (message: unknown) => void, hub: FanoutHub): Promise<void> {
    const connected = Promise.withResolvers<void>();
    this.#onConnected = connected.resolve;
    this.#report = (error) => {
      if (String(error) !== this.#reported && !this.#isClosed) hub.failed?.(error);
      this.#reported = String(error);
    };
    this.#listener = new PostgresListener({
      address: this.#address,
      channel: this.#channel,
      onNotify: (payload) => this.#receive(payload, listener),
      onUp: () => {
        this.#isConnected = !this.#isClosed;
        this.#reported = undefined;
        connected.resolve();
      },
      onDown: (error) => {
        this.#isConnected = false;
        this.#drop();
        this.#report(error);
      },
    });
    await connected.promise;
  }

  /** Takes a room's messages from now on. */
  join(room: string): void {
    this.#rooms.add(room);
  }

  /** Passes a room's messages over from now on. */
  leave(room: string): void {
    this.#rooms.delete(room);
  }

  /** Publishes a message with the next statement; drops it where too much waits. */
  publish(message: unknown, room = ""): void {
    if (this.#isClosed) return;
    // A name of a room holds no space.
    const text = `${this.#id} ${room} ${JSON.stringify(message)}`;
    const size = encoder.encode(text).length;
    if (!this.#isConnected || this.#waitingBytes + size > WAITING_MAX_BYTES) {
      this.#dropped++;
      return;
    }
    if (size > PAYLOAD_MAX_BYTES) {
      throw new RangeError(
        `Cannot publish ${size} bytes: a notification holds ${PAYLOAD_MAX_BYTES}`,
      );
    }
    this.#waiting.push(text);
    this.#waitingBytes += size;
    this.#sending ??= this.#send();
  }

  /** Sends what waits, and disconnects; settles when that is done. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isConnected = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([this.#sending, patience]);
    clearTimeout(timer);
    this.#drop();
    await this.#listener?.close();
    this.#onConnected();
  }

  async #send(): Promise<void> {
    // Whatever the current turn of the event loop still publishes goes into the same statement.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      for (const text of batch) this.#waitingBytes -= encoder.encode(text).length;
      const sql = this.#listener?.sql;
      try {
        if (!sql) throw new Error("not connected");
        await sql.unsafe(
          "select pg_notify($1, payload) from json_array_elements_text($2::text::json) as payload",
          [this.#channel, JSON.stringify(batch)],
          { prepare: true },
        );
      } catch (error) {
        this.#dropped += batch.length;
        this.#report(error);
      }
    }
    this.#sending = undefined;
  }

  #receive(payload: string, listener: (message: unknown) => void): void {
    const [from, room] = payload.split(" ", 2);
    if (from === this.#id || this.#isClosed) return;
    if (room !== "" && !this.#rooms.has(room)) return;
    let value: unknown;
    try {
      value = JSON.parse(payload.slice(from.length + room.length + 2));
    } catch {
      return; // Not ours: others may notify on the channel.
    }
    listener(value);
  }

  #drop(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
