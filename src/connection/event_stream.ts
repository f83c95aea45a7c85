/**
 * A room as server-sent events, for those who only read: curl, dashboards, `EventSource`.
 *
 * @module
 */

import {
  type ServerSentEventMessage,
  ServerSentEventStream,
} from "@std/http/server-sent-event-stream";
import type { EnvelopeBatch } from "../hub/envelope_batch.ts";
import { closeNameOf } from "../telemetry/metrics.ts";
import type { JoinOptions } from "../hub/joining.ts";
import { closeCodeOfLeft } from "../hub/member_problems.ts";
import { CLOSE_CODES, encodeEnvelope, type LeftCode, type Problem } from "../protocol/mod.ts";
import type { Member, Subscription } from "../hub/member.ts";
import type { MonitoredConnection } from "./connection_monitor.ts";
import { OutboundQueue } from "./outbound_queue.ts";
import type { ConnectionServices } from "./services.ts";

/** Bytes waiting for a reader without a monitor above which it has to go, and may resume. */
const HARD_LIMIT_BYTES = 1024 * 1024;
/** Milliseconds between comments: shorter than what proxies take for an idle connection. */
const HEARTBEAT_MS = 15_000;
/**
 * Milliseconds after which a browser comes back, at least: it keeps the last such number for ever,
 * and with 0 it came back 5,479 times in 10 s.
 */
const RETRY_MS = 3_000;
/** Milliseconds over which those that were turned away are asked to come back. */
const RETRY_SPREAD_MS = 4_000;
/** Bytes that may wait for a reader whose stream ends with a reason, which is read behind them. */
const KEPT_BYTES = 16 * 1024;
/** What stands in the queue for a comment: no envelope is empty. */
const COMMENT = "";

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
  /** The hub to join, and what supervises connections, if anything. */
  readonly services: Pick<ConnectionServices, "hub"> & Partial<ConnectionServices>;
  /** The room, already checked. */
  readonly room: string;
  /** The user that reads: who is put out of the room is cut off. @default {undefined} anybody */
  readonly account?: string;
  /** Milliseconds between comments. @default {15000} */
  readonly heartbeatMs?: number;
  /** Bytes waiting above which the reader has to go. @default {1048576}, or as the monitor says */
  readonly hardLimitBytes?: number;
  /** Whose share of the budget its bytes count against. @default {undefined} its own */
  readonly address?: string;
  /** Milliseconds since the epoch at which it ends. @default {Infinity} */
  readonly expiresAt?: number;
  /** Called once, when the stream has ended. */
  readonly onEnd?: () => void;
}

/**
 * Joins a room as a reader, which has no user and is not counted as here.
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
 * const response = openEventStream({ services: { hub }, room: "lobby", history: 10 });
 * await hub.drain();
 * console.log(await response.text()); // event: joined …
 * ```
 */
export function openEventStream(options: EventStreamOptions): Response {
  const reader = new EventStreamReader(options);
  const body = reader.events.pipeThrough(new ServerSentEventStream());
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

/**
 * Turns a reader away for now: with status 200, for a browser's `EventSource` gives up for good on
 * any other, and comes back on this one.
 *
 * @param problem Why.
 * @param retryMs Milliseconds after which it may come back, at least. @default {3000}
 * @returns A stream that says why and when to come back, and ends.
 *
 * @example
 * ```ts
 * import { refuseEventStream } from "./event_stream.ts";
 *
 * const response = refuseEventStream({ code: "unavailable", message: "The server is full" });
 * console.log(response.status); // 200
 * ```
 */
export function refuseEventStream(problem: Problem, retryMs: number = RETRY_MS): Response {
  const { code, message } = problem;
  const waitMs = Math.max(RETRY_MS, retryMs) + Math.floor(Math.random() * RETRY_SPREAD_MS);
  const data = JSON.stringify({ code, message, retry_after_ms: waitMs });
  const body = `retry:${waitMs}\nevent:error\ndata:${data}\n\n`;
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

/** A member without a user whose connection is a stream of events. */
class EventStreamReader implements Member, MonitoredConnection {
  readonly events: ReadableStream<ServerSentEventMessage>;
  readonly address: string | undefined;
  readonly account: string | undefined;
  readonly #options: EventStreamOptions;
  readonly #outbound: OutboundQueue;
  #subscription: Subscription | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #isTooSlow = false;
  #hasEnded = false;
  /** Whether it was told why it ends, and is taken to read that. */
  #isRead = false;
  /** Wakes up the stream, which waits for the next event. */
  #onMore: (() => void) | undefined;

  constructor(options: EventStreamOptions) {
    const { services: { hub, monitor }, hardLimitBytes = HARD_LIMIT_BYTES } = options;
    this.#options = options;
    this.address = options.address;
    this.account = options.account;
    this.#outbound = new OutboundQueue({
      metrics: hub.metrics,
      bufferedBytes: () => 0,
      hardLimitBytes: () => monitor?.hardLimitOf(this) ?? hardLimitBytes,
      onRelease: (changes) => this.#push(changes.map(({ envelope }) => envelope)),
      onTooSlow: () => this.tooSlow(),
    });
    this.events = new ReadableStream<ServerSentEventMessage>({
      pull: (controller) => this.#pull(controller),
      cancel: () => {
        if (!this.#hasEnded) hub.metrics.count("closed", "left");
        this.#outbound.close();
        this.#end();
      },
    }, { highWaterMark: 0 });
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS);
    this.#subscription = hub.join(options.room, this, options);
    // A hub that drains has closed this member before it had a subscription.
    if (this.#hasEnded) this.#subscription.leave();
    else monitor?.add(this);
  }

  get waitingBytes(): number {
    return this.#outbound.waitingBytes;
  }

  get expiresAt(): number {
    return this.#options.expiresAt ?? Infinity;
  }

  send(batch: EnvelopeBatch): void {
    if (!this.#hasEnded && this.#outbound.admits(batch)) this.#push(batch.envelopes);
  }

  close(code: number): void {
    if (this.#hasEnded) return;
    this.#options.services.hub.metrics.count("closed", closeNameOf(code));
    // What waits for a reader that is not reading must not be kept for it. The end is a clean one in
    // any case: of a stream that fails, Deno would print the stack.
    if (code !== CLOSE_CODES.draining.code && !this.#isRead) this.#outbound.close();
    this.#end();
  }

  putOut(code: LeftCode, message: string): void {
    // A browser comes back, to a room that is a new one.
    if (code === "room_deleted" && !this.#hasEnded && this.waitingBytes <= KEPT_BYTES) {
      this.#push([encodeEnvelope({ type: "error", payload: { code, message } })]);
      this.#isRead = true;
    }
    this.close(closeCodeOfLeft(code));
  }

  drained(): Promise<void> {
    return this.#outbound.drained();
  }

  tooSlow(): void {
    if (this.#isTooSlow || this.#hasEnded) return;
    this.#isTooSlow = true;
    this.#options.services.hub.metrics.membersTooSlow++;
    // Not within the loop that sends to everybody.
    queueMicrotask(() => this.#disconnect("tooSlow", "Too slow"));
  }

  expire(): void {
    this.#disconnect("notAllowed", "The token has expired");
  }

  #push(envelopes: readonly string[]): void {
    for (const envelope of envelopes) this.#outbound.push(envelope);
    this.#onMore?.();
  }

  #beat(): void {
    if (this.#outbound.size === 0) this.#push([COMMENT]);
  }

  async #pull(controller: ReadableStreamDefaultController<ServerSentEventMessage>): Promise<void> {
    while (this.#outbound.size === 0) {
      if (this.#hasEnded) return controller.close();
      await new Promise<void>((resolve) => this.#onMore = resolve);
    }
    controller.enqueue(eventOf(this.#outbound.take()!));
  }

  #disconnect(name: keyof typeof CLOSE_CODES, reason: string): void {
    const { code } = CLOSE_CODES[name];
    if (this.#subscription) this.#subscription.disconnect(code, reason);
    else this.close(code);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.services.monitor?.delete(this);
    clearInterval(this.#heartbeat);
    this.#onMore?.();
    this.#subscription?.leave();
    this.#options.onEnd?.();
  }
}

/** Splits an envelope, which is text that this server made: `{"type":"…","payload":{…}}`. */
function eventOf(envelope: string): ServerSentEventMessage {
  if (envelope === COMMENT) return { comment: "" };
  const [, event, data] = /^\{"type":"(\w+)","payload":(\{.*\})\}$/s.exec(envelope) ?? [];
  switch (event) {
    case "chat_message":
    case "message_changed":
      return { event, data, id: (JSON.parse(data) as { cursor: string }).cursor };
    case "joined":
      // A drain or a full server may have set another time before.
      return { event, data, id: (JSON.parse(data) as { cursor: string }).cursor, retry: RETRY_MS };
    case "draining": {
      const { reconnect_after_ms } = JSON.parse(data) as { reconnect_after_ms: number };
      return { event, data, retry: RETRY_MS + reconnect_after_ms };
    }
    default:
      return { event, data };
  }
}
