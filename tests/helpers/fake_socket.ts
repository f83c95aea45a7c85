import { mock } from "node:test";
import { setImmediate } from "node:timers";
import { connect, type ConnectionState, type ConnectOptions } from "@hubbub/hub/client";
import { assert, assertEquals } from "@std/assert";
import type { Limits, Message, MessageV2, ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { FakeWebSocket } from "./fake_web_socket.ts";

type Joined = (ServerEnvelopeV2 & { type: "joined" })["payload"];

/** What the fake server lets a member in with; users by name, and what the connection may do. */
export interface Entry extends Partial<Omit<Joined, "users">> {
  readonly users?: readonly string[];
  readonly limits?: Partial<Limits>;
}

/** A WebSocket without a network for one room: the test is the server. */
export class FakeSocket extends FakeWebSocket {
  /** The envelopes that the client sent but joins, in the frames in which it sent them. */
  readonly frames: { type: string; payload: Record<string, unknown> }[][] = [];
  /** The payloads of the joins that it sent. */
  readonly joins: Record<string, unknown>[] = [];

  /** The join that the client sent. */
  get asked(): Record<string, unknown> {
    assertEquals(this.joins.length, 1, "joins");
    return this.joins[0];
  }

  /** All envelopes that the client sent, of one type. */
  sent(type: string): Record<string, unknown>[] {
    return this.frames.flat().filter((frame) => frame.type === type).map(({ payload }) => payload);
  }

  send(frame: string): void {
    const envelopes = frame.split("\n").map((line) => JSON.parse(line));
    this.joins.push(
      ...envelopes.filter(({ type }) => type === "join").map(({ payload }) => payload),
    );
    const others = envelopes.filter(({ type }) => type !== "join");
    if (others.length > 0) this.frames.push(others);
  }

  /** The server lets the client in. */
  join({ users = ["ann"], limits, ...payload }: Entry = {}): void {
    if (this.readyState === 0) this.welcome(limits);
    this.say({
      type: "joined",
      room: "lobby",
      payload: {
        cursor: cursor(0),
        recovered: true,
        user_count: users.length,
        users: users.map((user) => ({ user })),
        typing: [],
        role: "member",
        ...payload,
      },
    });
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
  return String(number).padStart(20, "0");
}

/** A message of a log, as a page holds it. */
export function message(number: number): Message {
  return {
    id: `id ${number}`,
    cursor: cursor(number),
    room: "lobby",
    user: "bob",
    text: `text ${number}`,
    sent_at: "2026-11-22T00:00:00.000Z",
  };
}

/** The envelope of a message of that log. */
export function chat(number: number, more: Partial<MessageV2> = {}): ServerEnvelopeV2 {
  const payload = { cursor: cursor(number), user: "bob", text: `text ${number}`, at: number };
  return { type: "chat_message", room: "lobby", payload: { ...payload, ...more } };
}

/** The envelopes of users who came or went, and of those who type. */
export function presence(joined: readonly string[], left: readonly string[] = []) {
  const payload = { joined: joined.map((user) => ({ user })), left };
  return { type: "presence", room: "lobby", payload } as const;
}

export function typing(user: string, status: boolean) {
  return { type: "typing_status", room: "lobby", payload: { user, status } } as const;
}

/** The envelope of a refusal of a message. */
export function refusal(code: string, message: string, more: Record<string, unknown> = {}) {
  const payload = { code, message, for: "chat_message", ...more };
  return { type: "error", room: "lobby", payload } as unknown as ServerEnvelopeV2;
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
