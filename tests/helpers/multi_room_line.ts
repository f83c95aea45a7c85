// A connection of protocol 2 for the model of agreement: several devices of one user, each in a room
// of its own, over one connection without a network. What comes is told in the words of protocol 1.

import type { Hub, Message } from "@hubbub/hub";
import { decodeServerEnvelopeV2, type Draft, type ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { ConnectionMonitor } from "../../src/connection/connection_monitor.ts";
import { MultiRoomConnection } from "../../src/connection/multi_room_connection.ts";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { WriteScheduler } from "../../src/connection/write_scheduler.ts";

/** Bytes that a device is behind by while what it was sent goes out: its rooms take turns then. */
const BEHIND_BYTES = 100 * 1024;

/** One stay in a room of a line. */
export interface LineStay {
  readonly room: string;
  /** Takes an envelope in the form of protocol 1. */
  take(text: string): void;
  /** The stay is over, and nobody asked for that. */
  lost(): void;
}

/** What the model does with a stay. */
export interface LineSubscription {
  publish(draft: Draft): void;
  typing(status: boolean): void;
  leave(): void;
}

/** The server's side of the socket. */
class Socket {
  readyState: number = WebSocket.OPEN;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { wasClean: boolean }) => void;
  #outAt = 0;

  constructor(
    readonly writeMs: number,
    readonly line: { receive(frame: string): void; ended(): void },
  ) {}

  get bufferedAmount(): number {
    return performance.now() < this.#outAt ? BEHIND_BYTES : 0;
  }

  send(frame: string): void {
    this.#outAt = performance.now() + this.writeMs;
    this.line.receive(frame);
  }

  close(): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    queueMicrotask(() => this.onclose?.({ wasClean: true }));
    this.line.ended();
  }
}

/** A connection of one user with stays in several rooms. */
export class MultiRoomLine {
  hub: Hub | undefined;
  readonly #user: string;
  readonly #writeMs: number;
  #socket: Socket | undefined;
  /** By room, the stays that `left` has not ended yet, oldest first. */
  #stays = new Map<string, LineStay[]>();

  constructor(user: string, writeMs: number) {
    this.#user = user;
    this.#writeMs = writeMs;
  }

  /** Joins a room; on another hub than before, all other stays are lost. */
  join(hub: Hub, stay: LineStay, after: string | undefined): LineSubscription {
    if (this.hub !== hub || !this.#socket) {
      this.close();
      this.#connect(hub);
    }
    const socket = this.#socket!;
    const { room } = stay;
    const send = (envelope: unknown) => {
      if (socket.readyState === WebSocket.OPEN) {
        socket.onmessage?.({ data: JSON.stringify(envelope) });
      }
    };
    this.#stays.set(room, [...this.#stays.get(room) ?? [], stay]);
    send({ type: "join", room, payload: { after } });
    return {
      publish: ({ text, ref }) => send({ type: "chat_message", room, payload: { text, ref } }),
      typing: (status) => send({ type: "typing_status", room, payload: { status } }),
      leave: () => send({ type: "leave", room }),
    };
  }

  /** Closes the connection, as a client does. */
  close(): void {
    this.#socket?.close();
  }

  #connect(hub: Hub): void {
    const logger = () => {};
    const line = { receive: (frame: string) => this.#receive(frame), ended: () => this.#ended() };
    const socket = this.#socket = new Socket(this.#writeMs, line);
    this.hub = hub;
    const grant = {
      user: this.#user,
      roomsMax: 200,
      rates: { takeMessage: () => 0, takeEnvelope: () => 0, takeRefusal: () => 0 },
      markClosing() {},
      release() {},
      enterRoom() {},
      leaveRoom() {},
      roleIn: () => "member" as const,
      renewed() {},
    };
    const monitor = new ConnectionMonitor({ metrics: hub.metrics });
    const services = {
      hub,
      logger,
      monitor,
      scheduler: new WriteScheduler(),
      joinTurns: new TurnScheduler({ atOnce: 4 }),
      frameTurns: new TurnScheduler({ atOnce: 4 }),
    };
    const upgraded = { socket: socket as unknown as WebSocket, unopenedReason: () => "" };
    new MultiRoomConnection(upgraded, { services, grant });
    socket.onopen?.();
  }

  #ended(): void {
    this.#socket = undefined;
    this.hub = undefined;
    const stays = [...this.#stays.values()].flat();
    this.#stays = new Map();
    for (const stay of stays) stay.lost();
  }

  #receive(frame: string): void {
    for (const text of frame.split("\n")) {
      const decoded = decodeServerEnvelopeV2(text);
      if (!decoded.ok) throw new Error(`Not an envelope: ${text}`);
      const { envelope } = decoded;
      if (!("room" in envelope) || envelope.room === undefined) continue;
      const stays = this.#stays.get(envelope.room) ?? [];
      const [stay] = stays;
      // Who is sent to after `left`, or before it joined, is told of something wrong.
      if (!stay) throw new Error(`Nobody is in the room of ${text}`);
      const isOver = envelope.type === "left" ||
        (envelope.type === "error" && envelope.payload.for === "join");
      if (isOver) {
        stays.shift();
        if (envelope.type === "error") stay.lost();
        continue;
      }
      for (const told of this.#tell(envelope)) stay.take(JSON.stringify(told));
    }
  }

  /** Says in the words of protocol 1 what an envelope says. */
  #tell(envelope: ServerEnvelopeV2): unknown[] {
    const { type } = envelope;
    switch (type) {
      case "chat_message": {
        const { room, payload: { cursor, user, text, at, ref } } = envelope;
        const sent_at = new Date(at).toISOString();
        return [{ type, payload: { id: "", cursor, room, user, text, sent_at, ref } }];
      }
      case "joined": {
        const { room, payload } = envelope;
        const users = payload.users.map(({ user }) => user);
        return [{ type, payload: { ...payload, room, user: this.#user, users } }];
      }
      case "presence":
        return [
          ...envelope.payload.left.map((user) => ({ type, payload: { user, status: "left" } })),
          ...envelope.payload.joined.map(({ user }) => {
            return { type, payload: { user, status: "joined" } };
          }),
        ];
      case "typing_status":
        return [{ type, payload: envelope.payload }];
      case "error":
        // Typing is slowed down, and may come before a join that failed.
        return envelope.payload.for === "typing_status"
          ? []
          : [{ type, payload: envelope.payload }];
      default:
        return [];
    }
  }
}

/** How a line shows a stored message to a user. */
export function shownTo(user: string, message: Message): Message {
  const { cursor, room, user: sender, text, sent_at, ref } = message;
  const shown = { id: "", cursor, room, user: sender, text, sent_at };
  return ref !== undefined && sender === user ? { ...shown, ref } : shown;
}
