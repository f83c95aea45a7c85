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
import type { Frame } from "./frame.ts";
import type { Hub } from "./hub.ts";
import { closeNameOf } from "./metrics.ts";
import { CLOSE_CODES } from "./protocol.ts";
import type { JoinOptions } from "./room.ts";
import type { Member, Seat } from "./seat.ts";
import type { Supervised, Supervisor } from "./supervisor.ts";

/** Characters waiting for a reader above which it gets no typing and no presence. */
const SOFT_LIMIT = 256 * 1024;
/** Characters waiting for a reader above which it has to go, and may resume. */
const HARD_LIMIT = 1024 * 1024;
/** Milliseconds between comments: shorter than what proxies take for an idle connection. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds that a reader has to take a page of a long replay. */
const DRAIN_TIMEOUT_MS = 30_000;

/** The headers of a stream of events. */
export const EVENTS_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  // A proxy, or Deno itself, that compresses would hold events back.
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** What a stream of events is for. */
export interface EventsOptions extends JoinOptions {
  /** The hub to join. */
  readonly hub: Hub;
  /** The room, already checked. */
  readonly room: string;
  /** Milliseconds between comments. @default {15000} */
  readonly heartbeatMs?: number;
  /** Characters waiting above which the reader has to go. @default {1048576} */
  readonly hardLimit?: number;
  /** Looks after what waits for it, and after its end. @default {nobody} */
  readonly supervisor?: Supervisor;
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
 * is cut off; the end of a drain is a clean one.
 *
 * @param options Which room, from where, and how.
 * @returns A response whose body lasts until the reader goes or the hub drains.
 *
 * @example
 * ```ts ignore
 * Deno.serve(() => openEvents({ hub, room: "lobby", history: 10 }));
 * ```
 */
export function openEvents(options: EventsOptions): Response {
  const reader = new Reader(options);
  const body = reader.events.pipeThrough(new ServerSentEventStream());
  return new Response(body, { headers: EVENTS_HEADERS });
}

/** A member without a user whose connection is a stream of events. */
class Reader implements Member, Supervised {
  readonly events: ReadableStream<ServerSentEventMessage>;
  readonly #options: EventsOptions;
  readonly #hardLimit: number;
  #controller!: ReadableStreamDefaultController<ServerSentEventMessage>;
  #seat: Seat | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #isTooSlow = false;
  #hasEnded = false;
  #onDrained: (() => void) | undefined;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#hardLimit = options.hardLimit ?? HARD_LIMIT;
    this.events = new ReadableStream<ServerSentEventMessage>({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        if (this.#waiting === 0) this.#onDrained?.();
      },
      cancel: () => {
        this.#options.hub.metrics.count("closed", "left");
        this.#end();
      },
    }, { highWaterMark: this.#hardLimit, size: sizeOf });
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS);
    this.#seat = options.hub.join(options.room, this, options);
    // A hub that drains has closed this member before it was seated.
    if (this.#hasEnded) this.#seat.leave();
    else options.supervisor?.add(this);
  }

  get waitingBytes(): number {
    return this.#hasEnded ? 0 : this.#waiting;
  }

  get expiresAt(): number {
    return this.#options.expiresAt ?? Infinity;
  }

  send(frame: Frame): void {
    if (this.#hasEnded) return;
    if (frame.ephemeral && this.#waiting > Math.min(SOFT_LIMIT, this.#hardLimit)) {
      this.#options.hub.metrics.framesShed++;
      return;
    }
    if (this.#waiting > this.#hardLimit) return this.tooSlow();
    for (const envelope of frame.envelopes) this.#controller.enqueue(eventOf(envelope));
  }

  close(code: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#options.hub.metrics.count("closed", closeNameOf(code));
    this.#end();
    // What waits for a reader that is not reading must not be kept for it.
    if (code === CLOSE_CODES.draining.code) this.#controller.close();
    else this.#controller.error(new Error(reason));
  }

  async drained(): Promise<void> {
    if (this.#hasEnded || this.#waiting === 0) return;
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
    queueMicrotask(() => this.#expel("tooSlow", "Too slow"));
  }

  expire(): void {
    this.#expel("notAllowed", "The token has expired");
  }

  /** Characters that the reader has not taken yet. */
  get #waiting(): number {
    return this.#hardLimit - (this.#controller.desiredSize ?? this.#hardLimit);
  }

  #beat(): void {
    if (this.#waiting <= this.#hardLimit) this.#controller.enqueue({ comment: "" });
  }

  #expel(name: keyof typeof CLOSE_CODES, reason: string): void {
    const { code } = CLOSE_CODES[name];
    if (this.#seat) this.#seat.expel(code, reason);
    else this.close(code, reason);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.supervisor?.delete(this);
    clearInterval(this.#heartbeat);
    this.#onDrained?.();
    this.#seat?.leave();
    this.#options.onEnd?.();
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
