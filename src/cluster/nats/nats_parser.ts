/**
 * The protocol of NATS, as a server speaks it.
 *
 * @module
 */

/** The longest line that a server sends: its greeting names every server of a cluster. */
const LINE_MAX_BYTES = 1024 * 1024;
/** The longest payload of a server, however it is configured. */
const PAYLOAD_MAX_BYTES = 64 * 1024 * 1024;

/** What {@linkcode NatsParser} calls. */
export interface NatsParserEvents {
  /** Receives each line that is no message, without its end. */
  readonly onLine: (line: string) => void;
  /** Receives the payload of each message; it is valid during the call alone. */
  readonly onMessage: (payload: Uint8Array) => void;
}

const decoder = new TextDecoder();

/**
 * Takes bytes as they come, and calls back with lines and messages.
 *
 * @example
 * ```ts
 * import { NatsParser } from "./nats_parser.ts";
 *
 * const parser = new NatsParser({
 *   onLine: (line) => console.log(line),
 *   onMessage: (payload) => console.log(new TextDecoder().decode(payload)),
 * });
 * parser.push(new TextEncoder().encode("PING\r\nMSG a 1 5\r\nhel"));
 * parser.push(new TextEncoder().encode("lo\r\n")); // PING, hello
 * ```
 */
export class NatsParser {
  readonly #events: NatsParserEvents;
  /** What was pushed and not used. */
  #rest = new Uint8Array(0);
  /** Bytes of the payload that comes next, with its line end; undefined before a line. */
  #payload: number | undefined;

  /** @param events What is called. */
  constructor(events: NatsParserEvents) {
    this.#events = events;
  }

  /** Whether all that was pushed has been used. */
  get isAtStart(): boolean {
    return this.#rest.length === 0 && this.#payload === undefined;
  }

  /**
   * Takes bytes.
   *
   * @param chunk The bytes that follow those that came before.
   * @throws {RangeError} Where a line or a payload is longer than any server's.
   */
  push(chunk: Uint8Array): void {
    let bytes: Uint8Array = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    let at = 0;
    for (;;) {
      if (this.#payload !== undefined) {
        if (bytes.length - at < this.#payload) break;
        const end = at + this.#payload;
        this.#payload = undefined;
        this.#events.onMessage(bytes.subarray(at, end - 2));
        at = end;
        continue;
      }
      const end = bytes.indexOf(10, at);
      if (end === -1) break;
      const line = decoder.decode(bytes.subarray(at, bytes[end - 1] === 13 ? end - 1 : end));
      at = end + 1;
      const size = /^MSG\s.*?(\d+)$/i.exec(line)?.[1];
      if (size === undefined) this.#events.onLine(line);
      else if (Number(size) > PAYLOAD_MAX_BYTES) throw new RangeError(`A payload of ${size} bytes`);
      else this.#payload = Number(size) + 2;
    }
    this.#rest = bytes.slice(at);
    if (this.#payload === undefined && this.#rest.length > LINE_MAX_BYTES) {
      throw new RangeError("A line without an end");
    }
  }
}
