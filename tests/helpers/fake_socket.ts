import { mock } from "node:test";
import { setImmediate } from "node:timers";
import { connect, type ConnectionState, type ConnectOptions } from "@hubbub/hub/client";
import { assert, assertEquals } from "@std/assert";
import { type Message, PROTOCOL_V1_LINES, type ServerEnvelope } from "@hubbub/hub/protocol";

/** A WebSocket without a network: the test is the server. */
export class FakeSocket {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** The envelopes that the client sent, parsed, in the frames in which it sent them. */
  readonly frames: { type: string; payload: Record<string, unknown> }[][] = [];
  /** How the client closed it. */
  closed: { code: number | undefined } | undefined;
  protocol = "";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(url: string, protocols: string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  /** All envelopes that the client sent, of one type. */
  sent(type: string): Record<string, unknown>[] {
    return this.frames.flat().filter((frame) => frame.type === type).map(({ payload }) => payload);
  }

  send(frame: string): void {
    this.frames.push(frame.split("\n").map((line) => JSON.parse(line)));
  }

  close(code?: number): void {
    this.closed ??= { code };
    this.readyState = 2;
  }

  /** The server accepts. */
  open(protocol: string = PROTOCOL_V1_LINES): void {
    this.protocol = protocol;
    this.readyState = 1;
    this.onopen?.();
  }

  /** The server sends one frame. */
  say(...envelopes: ServerEnvelope[]): void {
    this.onmessage?.({ data: envelopes.map((envelope) => JSON.stringify(envelope)).join("\n") });
  }

  /** The server lets the client in. */
  join(payload: Partial<(ServerEnvelope & { type: "joined" })["payload"]> = {}): void {
    if (this.readyState === 0) this.open();
    this.say({
      type: "joined",
      payload: {
        room: "lobby",
        user: "ann",
        cursor: cursor(0),
        recovered: true,
        users: ["ann"],
        typing: [],
        limits: {
          text_max_bytes: 100,
          typing_timeout_ms: 3000,
          messages_per_second: 0,
          message_burst: 0,
        },
        ...payload,
      },
    });
  }

  /** The connection ends, from the other side. */
  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/** Makes a class to hand to `connect`, and keeps what it makes. */
export function fakeSockets(): { sockets: FakeSocket[]; WebSocket: typeof WebSocket } {
  const sockets: FakeSocket[] = [];
  class Socket extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  return { sockets, WebSocket: Socket as unknown as typeof WebSocket };
}

/** A cursor of the log that the test makes up. */
export function cursor(number: number): string {
  return String(number).padStart(24, "0");
}

/** A message of that log. */
export function message(number: number, more: Partial<Message> = {}): Message {
  return {
    id: `id ${number}`,
    cursor: cursor(number),
    room: "lobby",
    user: "bob",
    text: `text ${number}`,
    sent_at: "2026-11-22T00:00:00.000Z",
    ...more,
  };
}

/** The envelope of such a message. */
export function chat(number: number, more: Partial<Message> = {}): ServerEnvelope {
  return { type: "chat_message", payload: message(number, more) };
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  for (let scheduler = 0; scheduler < 3; scheduler++) {
    await new Promise<void>((done) => setImmediate(done));
  }
}

/** A connection over fake sockets in fake time, with a server that no HTTP reaches. */
export async function start(options: Partial<ConnectOptions> = {}) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  // The monotonic clock is that of the timers, also where a test sets the other one.
  const elapsed = Date.now;
  const monotonic = mock.method(performance, "now", () => elapsed() - 1_000_000);
  const { sockets, WebSocket } = fakeSockets();
  const closing = new AbortController();
  const ann = connect("http://chat.test/base/?query#hash", {
    room: "lobby",
    user: "ann",
    WebSocket,
    fetch: () => Promise.reject(new TypeError("offline")),
    signal: closing.signal,
    ...options,
  });
  const states: ConnectionState[] = [];
  ann.addEventListener("state", ({ detail }) => states.push(detail));
  await settle();
  return {
    ann,
    sockets,
    states,
    /** The socket of now. */
    get socket(): FakeSocket {
      return sockets[sockets.length - 1];
    },
    /** Lets time pass. */
    async tick(ms: number) {
      mock.timers.tick(ms);
      await settle();
    },
    [Symbol.dispose]() {
      closing.abort();
      monotonic.mock.restore();
      mock.timers.reset();
    },
  };
}

/** What a connection that waits says about it. */
export function waiting(state: ConnectionState): { retryInMs: number; reason: string } {
  assert(state.status === "waiting", `it is ${state.status}`);
  assertEquals(state.retryInMs, state.retryAt - Date.now());
  return { retryInMs: state.retryInMs, reason: state.reason };
}
