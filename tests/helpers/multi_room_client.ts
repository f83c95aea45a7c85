import { assert } from "@std/assert";
import {
  type ClientEnvelopeV2,
  decodeServerEnvelopeV2,
  encodeEnvelope,
  PROTOCOL_V2,
  type ServerEnvelopeV2,
} from "@hubbub/hub/protocol";
import { within } from "./patience.ts";

/** The envelope of one type. */
type Of<T extends ServerEnvelopeV2["type"]> = Extract<ServerEnvelopeV2, { type: T }>;

/** A client of protocol 2 that writes down whatever it gets. */
export class MultiRoomClient implements AsyncDisposable {
  readonly socket: WebSocket;
  /** The text frames as they came. */
  readonly frames: string[] = [];
  readonly envelopes: ServerEnvelopeV2[] = [];
  /** How the connection ended. */
  readonly closed: Promise<CloseEvent>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  constructor(url: string, query: string, protocols: string[] = [PROTOCOL_V2]) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/ws?${query}`, protocols);
    this.socket.onmessage = ({ data }) => {
      this.frames.push(data);
      for (const line of data.split("\n")) {
        const decoded = decodeServerEnvelopeV2(line);
        if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
        this.envelopes.push(decoded.envelope);
      }
      for (const check of this.#waiting) check();
    };
    this.closed = new Promise((resolve) => {
      this.socket.onclose = (event) => {
        this.#hasEnded = true;
        for (const check of this.#waiting) check();
        resolve(event);
      };
    });
  }

  /** Connects, and waits for `welcome`. */
  static async connect(url: string, user: string): Promise<MultiRoomClient> {
    const client = new MultiRoomClient(url, `user=${user}`);
    await client.until(({ envelopes }) => envelopes.length > 0);
    return client;
  }

  /** Sends envelopes in one frame. */
  send(...envelopes: ClientEnvelopeV2[]): void {
    this.socket.send(envelopes.map(encodeEnvelope).join("\n"));
  }

  /** The envelopes of a type, of one room or of all. */
  of<T extends ServerEnvelopeV2["type"]>(type: T, room?: string): Of<T>[] {
    return this.envelopes.filter((envelope): envelope is Of<T> => {
      return envelope.type === type &&
        (room === undefined || ("room" in envelope && envelope.room === room));
    });
  }

  /** What the messages of a room say. */
  said(room: string): string[] {
    return this.of("chat_message", room).map(({ payload }) => payload.text ?? "");
  }

  /** The types of the envelopes of a room. */
  types(room: string): string[] {
    return this.envelopes.filter((envelope) => "room" in envelope && envelope.room === room)
      .map(({ type }) => type);
  }

  /** Joins rooms in one frame, and waits until it is live in all of them. */
  async join(...rooms: string[]): Promise<void> {
    const before = this.of("joined").length;
    this.send(...rooms.map((room) => ({ type: "join", room }) as const));
    await this.until((client) => client.of("joined").length === before + rooms.length);
  }

  /** Waits until something holds. */
  async until(holds: (client: this) => boolean): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const check = () => {
        if (holds(this)) resolve();
        else if (this.#hasEnded) reject(new Error(`It has ended; it got ${this.#last()}`));
        else return;
        this.#waiting.delete(check);
      };
      this.#waiting.add(check);
      check();
    });
    await within(promise, () => `This did not come: ${holds}; it got ${this.#last()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await within(this.closed, "The socket did not close");
  }

  #last(): string {
    return this.frames.slice(-5).join("\n").slice(-2_000);
  }
}

/** Asserts that an error came, and returns it. */
export function errorOf(client: MultiRoomClient, index = -1): Of<"error"> {
  const error = client.of("error").at(index);
  assert(error, "no error came");
  return error;
}
