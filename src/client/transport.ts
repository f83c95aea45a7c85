/**
 * Envelopes over one WebSocket.
 *
 * @module
 */

import { FRAME_MAX_LENGTH, type Problem, PROTOCOL_V2 } from "../protocol/mod.ts";
import type { ServerEnvelopeV2 } from "../protocol/mod.ts";
import { decodeHubEnvelope } from "./hub_envelope.ts";
import type { SocketConstructor, SocketLike } from "./socket_like.ts";
import { tokenProtocol } from "./token_source.ts";

/** `WebSocket.OPEN`, which a stand-in for the global class may lack. */
const OPEN = 1;

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
  readonly onEnvelope: (envelope: ServerEnvelopeV2) => void;
  /** Called for each envelope that cannot be read. */
  readonly onBadFrame: (problem: Problem) => void;
  /** Called once when it has ended; not after {@linkcode Transport.drop}. */
  readonly onEnd: (end: TransportEnd) => void;
}

/** One WebSocket that carries envelopes, several in a frame. */
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
    const protocols = [PROTOCOL_V2];
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
    for (const line of data.split("\n")) {
      if (this.#isDropped) return;
      if (line === "") continue;
      const decoded = decodeHubEnvelope(line);
      if (decoded.ok) this.#options.onEnvelope(decoded.envelope);
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
