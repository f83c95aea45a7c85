/**
 * A room as server-sent events, for those who only read: curl, dashboards, `EventSource`.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import {
  type ServerSentEventMessage,
  ServerSentEventStream,
} from "@std/http/server-sent-event-stream";
import type { EnvelopeBatch } from "../hub/envelope_batch.ts";
import type { Hub } from "../hub/hub.ts";
import { closeNameOf } from "../telemetry/metrics.ts";
import type { JoinOptions } from "../hub/joining.ts";
import { CLOSE_CODES } from "../protocol/mod.ts";
import type { Member, Subscription } from "../hub/subscription.ts";
import type { ConnectionMonitor, MonitoredConnection } from "./connection_monitor.ts";

/** Characters waiting for a reader above which it gets no typing and no presence. */
const SOFT_LIMIT = 256 * 1024;
/** Characters waiting for a reader above which it has to go, and may resume. */
const HARD_LIMIT = 1024 * 1024;
/** Milliseconds between comments: shorter than what proxies take for an idle connection. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds that a reader has to take a page of a long replay. */
const DRAIN_TIMEOUT_MS = 30_000;

/** Events that were taken, from which on the memory of their places is given back. */
const COMPACT_FROM = 1_000;

/** The headers of a stream of events. */
export const EVENT_STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  // A proxy, or Deno itself, that compresses would hold events back.
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** What a stream of events is for. */
export interface EventStreamOptions extends JoinOptions {
  /** The hub to join. */
  readonly hub: Hub;
  /** The room, already checked. */
  readonly room: string;
  /** Milliseconds between comments. @default {15000} */
  readonly heartbeatMs?: number;
  /** Characters waiting above which the reader has to go. @default {1048576} */
  readonly hardLimit?: number;
  /** Looks after what waits for it, and after its end. @default {nobody} */
  readonly monitor?: ConnectionMonitor;
  /** Milliseconds since the epoch at which it ends. @default {Infinity} */
  readonly expiresAt?: number;
  /** Hears that the stream ended, once. */
  readonly onEnd?: () => void;
}

/**
 * Joins a room as somebody who only reads, and is not counted as here.
 *
 * Every envelope is an event: its type is the event's, its payload the data. A message and
 * `joined` carry their cursor as `id`, so that a reader that comes back with `Last-Event-ID`
 * misses nothing and gets nothing twice. A reader that falls behind by more than the hard limit
 * is cut off, without what waited for it.
 *
 * @param options Which room, from where, and how.
 * @returns A response whose body lasts until the reader goes or the hub drains.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { openEventStream } from "./event_stream.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const hub = new Hub(new KvRoomLog(kv));
 * const response = openEventStream({ hub, room: "lobby", history: 10 });
 * await hub.drain();
 * console.log(await response.text()); // event: joined …
 * ```
 */
export function openEventStream(options: EventStreamOptions): Response {
  const reader = new Reader(options);
  const body = reader.events.pipeThrough(new ServerSentEventStream());
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

/** A member without a user whose connection is a stream of events. */
class Reader implements Member, MonitoredConnection {
  readonly events: ReadableStream<ServerSentEventMessage>;
  readonly #options: EventStreamOptions;
  readonly #hardLimit: number;
  readonly #queue = new EventQueue();
  #subscription: Subscription | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #isTooSlow = false;
  #hasEnded = false;
  #onDrained: (() => void) | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#hardLimit = options.hardLimit ?? HARD_LIMIT;
    this.events = new ReadableStream<ServerSentEventMessage>({
      pull: async (controller) => {
        const event = await this.#queue.take();
        if (this.#queue.size === 0) this.#onDrained?.();
        if (event) controller.enqueue(event);
        else controller.close();
      },
      cancel: () => {
        this.#options.hub.metrics.count("closed", "left");
        this.#queue.end({ dropWaiting: true });
        this.#end();
      },
    }, { highWaterMark: 0 });
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS);
    this.#subscription = options.hub.join(options.room, this, options);
    // A hub that drains has closed this member before it was seated.
    if (this.#hasEnded) this.#subscription.leave();
    else options.monitor?.add(this);
  }

  get waitingBytes(): number {
    return this.#queue.size;
  }

  get expiresAt(): number {
    return this.#options.expiresAt ?? Infinity;
  }

  send(frame: EnvelopeBatch): void {
    if (this.#hasEnded) return;
    if (frame.ephemeral && this.#queue.size > Math.min(SOFT_LIMIT, this.#hardLimit)) {
      this.#options.hub.metrics.framesShed++;
      return;
    }
    if (this.#queue.size > this.#hardLimit) return this.tooSlow();
    for (const envelope of frame.envelopes) this.#queue.add(eventOf(envelope));
  }

  close(code: number): void {
    if (this.#hasEnded) return;
    this.#options.hub.metrics.count("closed", closeNameOf(code));
    // What waits for a reader that is not reading must not be kept for it. The end is a clean one in
    // any case: of a stream that fails, Deno would print the stack.
    this.#queue.end({ dropWaiting: code !== CLOSE_CODES.draining.code });
    this.#end();
  }

  async drained(): Promise<void> {
    if (this.#hasEnded || this.#queue.size === 0) return;
    const drained = new Promise<void>((resolve) => this.#onDrained = resolve);
    try {
      await deadline(drained, DRAIN_TIMEOUT_MS);
    } catch {
      this.tooSlow();
    }
  }

  tooSlow(): void {
    if (this.#isTooSlow) return;
    this.#isTooSlow = true;
    this.#options.hub.metrics.membersTooSlow++;
    // Not within the loop that sends to everybody.
    queueMicrotask(() => this.#disconnect("tooSlow", "Too slow"));
  }

  expire(): void {
    this.#disconnect("notAllowed", "The token has expired");
  }

  #beat(): void {
    if (this.#queue.size <= this.#hardLimit) this.#queue.add({ comment: "" });
  }

  #disconnect(name: keyof typeof CLOSE_CODES, reason: string): void {
    const { code } = CLOSE_CODES[name];
    if (this.#subscription) this.#subscription.disconnect(code, reason);
    else this.close(code);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.monitor?.delete(this);
    clearInterval(this.#heartbeat);
    this.#onDrained?.();
    this.#subscription?.leave();
    this.#options.onEnd?.();
  }
}

/** What waits for a reader. A stream's own queue cannot be emptied without failing the stream. */
class EventQueue {
  #events: ServerSentEventMessage[] = [];
  #next = 0;
  #size = 0;
  #hasEnded = false;
  #onMore: (() => void) | undefined;

  /** Characters that wait. */
  get size(): number {
    return this.#size;
  }

  add(event: ServerSentEventMessage): void {
    this.#events.push(event);
    this.#size += sizeOf(event);
    this.#onMore?.();
  }

  /** Ends it, at once or after what waits. */
  end(options: { readonly dropWaiting: boolean }): void {
    this.#hasEnded = true;
    if (options.dropWaiting) [this.#events, this.#next, this.#size] = [[], 0, 0];
    this.#onMore?.();
  }

  /** Takes the next event as soon as there is one; undefined at the end. One call at a time. */
  async take(): Promise<ServerSentEventMessage | undefined> {
    while (this.#next === this.#events.length) {
      if (this.#hasEnded) return undefined;
      [this.#events, this.#next] = [[], 0];
      await new Promise<void>((resolve) => this.#onMore = resolve);
    }
    const event = this.#events[this.#next++];
    this.#size -= sizeOf(event);
    if (this.#next >= COMPACT_FROM) {
      this.#events = this.#events.slice(this.#next);
      this.#next = 0;
    }
    return event;
  }
}

/** Splits an envelope, which is text that this server made: `{"type":"…","payload":{…}}`. */
function eventOf(envelope: string): ServerSentEventMessage {
  const [, event, data] = /^\{"type":"(\w+)","payload":(\{.*\})\}$/s.exec(envelope) ?? [];
  if (event === "chat_message" || event === "joined") {
    const { cursor } = JSON.parse(data) as { cursor: string };
    return { event, data, id: cursor };
  }
  if (event !== "draining") return { event, data };
  const { reconnect_after_ms } = JSON.parse(data) as { reconnect_after_ms: number };
  return { event, data, retry: reconnect_after_ms };
}

function sizeOf(event: ServerSentEventMessage): number {
  return event.data?.length ?? 1;
}
