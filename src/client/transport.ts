/**
 * Envelopes over one WebSocket.
 *
 * @module
 */

import {
  decodeServerEnvelope,
  type DrainingEnvelope,
  FRAME_MAX_LENGTH,
  type PongEnvelope,
  type Problem,
  PROTOCOL_V1,
  PROTOCOL_V1_LINES,
  type ServerEnvelope,
} from "../protocol/mod.ts";
import { isUsable } from "./envelope_check.ts";
import type { SocketConstructor, SocketLike } from "./socket_like.ts";
import { tokenProtocol } from "./token_source.ts";

const UNUSABLE: Problem = {
  code: "bad_frame",
  message: "The envelope lacks what belongs to its type",
};
/** `WebSocket.OPEN`, which a stand-in for the global class may lack. */
const OPEN = 1;

/** An envelope about the room; the others are about the connection. */
export type RoomEnvelope = Exclude<ServerEnvelope, DrainingEnvelope | PongEnvelope>;

/** How a connection ended. */
export interface TransportEnd {
  /** The close code; 0, 1005 or 1006 where no close frame was seen. */
  readonly code: number;
  /** What the server said, often nothing. */
  readonly reason: string;
  /** Whether it had been open: if not, the server may have refused it. */
  readonly hasOpened: boolean;
}

/** How {@linkcode Transport} behaves. */
export interface TransportOptions {
  /** Where to connect, with `ws:` or `wss:`. */
  readonly url: string;
  /** The token, of any characters, if there is one. */
  readonly token: string | undefined;
  /** The class to use. */
  readonly WebSocket: SocketConstructor;
  /** Called when the server has accepted. */
  readonly onOpen: () => void;
  /** Called for every frame, before what is in it. */
  readonly onFrame: () => void;
  /** Called with each envelope of the server. */
  readonly onEnvelope: (envelope: ServerEnvelope) => void;
  /** Called for each envelope that cannot be read. */
  readonly onBadFrame: (problem: Problem) => void;
  /** Called once when it has ended; not after {@linkcode Transport.drop}. */
  readonly onEnd: (end: TransportEnd) => void;
}

/**
 * One WebSocket that carries envelopes. Speaks lines where the server does, else one envelope a
 * frame.
 */
export class Transport {
  /** Settles when the socket is closed, which may be long after it was dropped. */
  readonly closed: Promise<void>;
  readonly #socket: SocketLike;
  readonly #options: TransportOptions;
  #hasOpened = false;
  #isDropped = false;

  /**
   * Begins to connect.
   *
   * @param options Where to, and what to call.
   * @throws {DOMException} Where the platform allows no such connection.
   */
  constructor(options: TransportOptions) {
    this.#options = options;
    const { url, token } = options;
    const protocols: string[] = [PROTOCOL_V1_LINES, PROTOCOL_V1];
    if (token !== undefined) protocols.push(tokenProtocol(token));
    const socket = this.#socket = new options.WebSocket(url, protocols);
    socket.onopen = () => {
      this.#hasOpened = true;
      if (!this.#isDropped) options.onOpen();
    };
    socket.onmessage = ({ data }: { data: unknown }) => this.#take(data);
    // Says no more than the close that follows it.
    socket.onerror = (event: Partial<Event>) => event.preventDefault?.();
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
        resolve();
        this.#end({ code, reason, hasOpened: this.#hasOpened });
      };
    });
  }

  /** Whether the server has accepted it. */
  get hasOpened(): boolean {
    return this.#hasOpened;
  }

  /**
   * Sends envelopes, if the connection is open.
   *
   * @param envelopes Each as JSON text, not longer than a frame may be.
   */
  send(envelopes: readonly string[]): void {
    const socket = this.#socket;
    if (socket.readyState !== OPEN) return;
    if (socket.protocol !== PROTOCOL_V1_LINES) {
      for (const envelope of envelopes) socket.send(envelope);
      return;
    }
    let frame = "";
    for (const envelope of envelopes) {
      if (frame.length + envelope.length >= FRAME_MAX_LENGTH) {
        if (frame !== "") socket.send(frame);
        frame = envelope;
      } else frame = frame === "" ? envelope : `${frame}\n${envelope}`;
    }
    if (frame !== "") socket.send(frame);
  }

  /**
   * Closes it without waiting: nothing is called any more, whether or not the other side answers.
   *
   * @param code A close code that a client may give: 1000, or 3000 to 4999.
   * @param reason For people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason is none.
   */
  drop(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
    this.#isDropped = true;
  }

  #take(data: unknown): void {
    if (this.#isDropped) return;
    this.#options.onFrame();
    if (typeof data !== "string") return;
    // JSON text holds no raw line feed: this reads one envelope a frame as well.
    for (const line of data.split("\n")) {
      if (this.#isDropped) return;
      if (line === "") continue;
      const decoded = decodeServerEnvelope(line);
      if (decoded.ok && isUsable(decoded.envelope)) this.#options.onEnvelope(decoded.envelope);
      else if (decoded.ok) this.#options.onBadFrame(UNUSABLE);
      // A type that this version does not know comes from a newer server, and may be passed over.
      else if (decoded.error.code !== "unknown_type") this.#options.onBadFrame(decoded.error);
    }
  }

  #end(end: TransportEnd): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#options.onEnd(end);
  }
}
