import { mock } from "node:test";
import { assert } from "@std/assert";
import { type ChatClient, type ClientOptions, createClient } from "@hubbub/hub/client";
import type { MessageV2, ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { cursor, settle } from "./fake_socket.ts";
import { FakeWebSocket } from "./fake_web_socket.ts";

/** An envelope that the client sent. */
export interface Said {
  readonly type: string;
  readonly room?: string;
  readonly payload: Record<string, unknown>;
}

type Joined = (ServerEnvelopeV2 & { type: "joined" })["payload"];

/** A WebSocket of protocol 2 without a network: the test is the hub. */
export class FakeHubSocket extends FakeWebSocket {
  /** The envelopes that the client sent, in the frames in which it sent them. */
  readonly frames: Said[][] = [];

  /** All envelopes that the client sent, of one type. */
  sent(type: string): Said[] {
    return this.frames.flat().filter((envelope) => envelope.type === type);
  }

  send(frame: string): void {
    this.frames.push(frame.split("\n").map((line) => JSON.parse(line)));
  }

  /** The hub lets the member into a room. */
  join(room: string, payload: Partial<Joined> = {}): void {
    const users = payload.users ?? [{ user: "ann" }];
    this.say({
      type: "joined",
      room,
      payload: {
        cursor: cursor(0),
        recovered: true,
        user_count: users.length,
        users,
        typing: [],
        role: "member",
        ...payload,
      },
    });
  }
}

/** A message of a log that the test makes up. */
export function said(room: string, number: number, more: Partial<MessageV2> = {}) {
  const payload = { cursor: cursor(number), user: "bob", text: `text ${number}`, at: number };
  return { type: "chat_message", room, payload: { ...payload, ...more } } as const;
}

/** A client over fake sockets in fake time, with a server that no HTTP reaches. */
export async function startClient(options: ClientOptions = {}) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const elapsed = Date.now;
  const monotonic = mock.method(performance, "now", () => elapsed() - 1_000_000);
  const sockets: FakeHubSocket[] = [];
  class Socket extends FakeHubSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const client: ChatClient = createClient("http://chat.test/base/", {
    user: "ann",
    WebSocket: Socket as unknown as typeof WebSocket,
    fetch: () => Promise.reject(new TypeError("offline")),
    ...options,
  });
  await settle();
  return {
    client,
    sockets,
    /** The socket of now. */
    get socket(): FakeHubSocket {
      const socket = sockets.at(-1);
      assert(socket, "there is no socket");
      return socket;
    },
    /** Lets time pass. */
    async tick(ms: number) {
      mock.timers.tick(ms);
      await settle();
    },
    /** Subscribes to a room that the hub lets the client into. */
    async live(name: string, joined: Partial<Joined> = {}) {
      const room = client.room(name);
      room.subscribe(() => {});
      await settle();
      this.socket.join(name, joined);
      await settle();
      return room;
    },
    [Symbol.dispose]() {
      client.close();
      monotonic.mock.restore();
      mock.timers.reset();
    },
  };
}
