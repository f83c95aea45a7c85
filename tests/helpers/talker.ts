import type { Message } from "@hubbub/hub";
import { decodeServerEnvelope, encodeEnvelope, PROTOCOL_V1_LINES } from "@hubbub/hub/protocol";
import type { ClientEnvelope, ServerEnvelope } from "@hubbub/hub/protocol";
import { within } from "./patience.ts";

/** A person with a WebSocket, who comes back where they left off and sends again what got lost. */
export class Talker {
  readonly user: string;
  readonly room: string;
  /** Every message, in the order in which it came, over all connections. */
  readonly messages: Message[] = [];
  /** What was sent and not yet confirmed: text by ref. */
  readonly pending = new Map<string, string>();
  /** The answers to what was sent, by ref. */
  readonly confirmed = new Map<string, Message>();
  /** Whether each join after the first one could go on where the last one ended. */
  readonly recovered: boolean[] = [];
  /** Who is here, and who is typing, as the server told. */
  readonly users = new Set<string>();
  readonly typing = new Set<string>();
  /** Everything but messages, in order. */
  readonly told: ServerEnvelope[] = [];
  #cursor: string | undefined;
  #socket: WebSocket | undefined;
  #closed: Promise<CloseEvent> | undefined;
  #waiting: (() => void) | undefined;

  constructor(user: string, room: string) {
    this.user = user;
    this.room = room;
  }

  /** How the last connection ended, when it has. */
  get closed(): Promise<CloseEvent> {
    if (!this.#closed) throw new Error("There was no connection");
    return this.#closed;
  }

  /** Connects, and sends again what was not confirmed; resolves when the server has joined. */
  async join(url: string): Promise<void> {
    const query = new URLSearchParams({ user: this.user });
    if (this.#cursor !== undefined) query.set("after", this.#cursor);
    const address = `${url.replace(/^http/, "ws")}/rooms/${this.room}/ws?${query}`;
    const socket = this.#socket = new WebSocket(address, PROTOCOL_V1_LINES);
    const { promise: joined, resolve, reject } = Promise.withResolvers<void>();
    socket.onmessage = ({ data }) => {
      for (const line of data.split("\n")) if (this.#take(line) === "joined") resolve();
      this.#waiting?.();
    };
    socket.onerror = (event) => event.preventDefault();
    this.#closed = new Promise((settle) => {
      socket.onclose = (event) => {
        settle(event);
        reject(new Error(`${this.user} could not join: ${event.code} ${event.reason}`));
        this.#waiting?.();
      };
    });
    await joined;
  }

  say(ref: string, text: string): void {
    this.pending.set(ref, text);
    this.#send({ type: "chat_message", payload: { text, ref } });
  }

  type(status: boolean): void {
    this.#send({ type: "typing_status", payload: { status } });
  }

  /** Resolves when something holds, looked at after each frame and at the end. */
  async until(holds: (talker: this) => boolean): Promise<void> {
    const held = async () => {
      while (!holds(this)) await new Promise<void>((resolve) => this.#waiting = resolve);
    };
    await within(held(), () => `${holds} of ${this.user}, with ${this.messages.length} messages`);
  }

  /** Hangs up in order. */
  async leave(): Promise<void> {
    this.#socket?.close();
    await this.#closed;
  }

  #send(envelope: ClientEnvelope): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeEnvelope(envelope));
  }

  #take(line: string): ServerEnvelope["type"] {
    const decoded = decodeServerEnvelope(line);
    if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
    const { type, payload } = decoded.envelope;
    if (type === "chat_message") {
      this.#takeMessage(payload);
      return type;
    }
    this.told.push(decoded.envelope);
    if (type === "joined") {
      if (this.#cursor !== undefined) this.recovered.push(payload.recovered);
      this.#cursor = payload.cursor;
      for (
        const [set, users] of [[this.users, payload.users], [this.typing, payload.typing]] as const
      ) {
        set.clear();
        for (const user of users) set.add(user);
      }
      for (const [ref, text] of this.pending) this.say(ref, text);
    } else if (type === "presence") change(this.users, payload.user, payload.status === "joined");
    else if (type === "typing_status") change(this.typing, payload.user, payload.status);
    return type;
  }

  #takeMessage(message: Message): void {
    if (message.user === this.user && message.ref !== undefined) {
      this.confirmed.set(message.ref, message);
      this.pending.delete(message.ref);
    }
    // The answer to a repeat is behind, which is how a client knows it.
    if (this.#cursor !== undefined && message.cursor <= this.#cursor) return;
    this.messages.push(message);
    this.#cursor = message.cursor;
  }
}

function change(users: Set<string>, user: string, isIn: boolean): void {
  if (isIn) users.add(user);
  else users.delete(user);
}
