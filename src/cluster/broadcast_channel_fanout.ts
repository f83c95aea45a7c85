/**
 * A fan-out between the isolates of one process.
 *
 * @module
 */

import { clearImmediate, setImmediate } from "node:timers";
import type { Fanout } from "./fanout.ts";

/** The name of the channel: one for everything, since all names of a process share one ring. */
const CHANNEL = "hubbub.v1";

/**
 * A fan-out between the isolates of this process over `BroadcastChannel`; it never crosses
 * processes. Deno drops without a sign what comes while a receiver is 256 posts behind, so everything
 * that is published in one turn of the event loop goes out in one post.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv), { fanout: new BroadcastChannelFanout() });
 * console.log(hub.reach); // fanout
 * ```
 */
export class BroadcastChannelFanout implements Fanout {
  readonly #channel: BroadcastChannel;
  #waiting: unknown[] = [];
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
   * Sends a message with the next post.
   *
   * @param message The message.
   */
  publish(message: unknown): void {
    // A closed channel throws when something is posted.
    if (this.#isClosed) return;
    this.#waiting.push(message);
    this.#timer ??= setImmediate(() => this.#flush());
  }

  /**
   * Sets the listener.
   *
   * @param listener Receives each message.
   */
  subscribe(listener: (message: unknown) => void): void {
    this.#channel.onmessage = ({ data }) => {
      for (const message of parse(data)) listener(message);
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
    const messages = this.#waiting;
    this.#waiting = [];
    // One string crosses much faster than the same as objects.
    this.#channel.postMessage(JSON.stringify(messages));
  }
}

function parse(data: unknown): unknown[] {
  try {
    const value: unknown = JSON.parse(String(data));
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // Not ours: anybody may post to a channel of this name.
  }
}
