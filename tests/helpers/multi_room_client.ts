import { assert } from "@std/assert";
import {
  type ClientEnvelopeV2,
  decodeServerEnvelopeV2,
  encodeEnvelope,
  PROTOCOL_V2,
  type ServerEnvelopeV2,
} from "@hubbub/hub/protocol";
import { RecordingSocket } from "./recording_socket.ts";

/** The envelope of one type. */
type Of<T extends ServerEnvelopeV2["type"]> = Extract<ServerEnvelopeV2, { type: T }>;

/** A client of protocol 2 that writes down whatever it gets. */
export class MultiRoomClient extends RecordingSocket<ServerEnvelopeV2> {
  constructor(url: string, query: string, protocols: string[] = [PROTOCOL_V2]) {
    super(`${url.replace("http", "ws")}/ws?${query}`, protocols);
  }

  protected decode(line: string): ServerEnvelopeV2 {
    const decoded = decodeServerEnvelopeV2(line);
    if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
    return decoded.envelope;
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
}

/** Asserts that an error came, and returns it. */
export function errorOf(client: MultiRoomClient, index = -1): Of<"error"> {
  const error = client.of("error").at(index);
  assert(error, "no error came");
  return error;
}
