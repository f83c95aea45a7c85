import { within } from "./patience.ts";

/** A WebSocket that writes down whatever it gets, of one form of envelopes. */
export abstract class RecordingSocket<Envelope> implements AsyncDisposable {
  readonly socket: WebSocket;
  /** The text frames as they came. */
  readonly frames: string[] = [];
  readonly envelopes: Envelope[] = [];
  /** How the connection ended. */
  readonly closed: Promise<CloseEvent>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  constructor(url: string, protocols: string[]) {
    this.socket = new WebSocket(url, protocols);
    this.socket.onmessage = ({ data }) => {
      this.frames.push(data);
      for (const line of data.split("\n")) this.envelopes.push(this.decode(line));
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

  /** Reads a line of a frame; throws where it is no envelope. */
  protected abstract decode(line: string): Envelope;

  /**
   * Resolves when something holds, looked at after each frame; fails when it takes too long, or
   * when the connection ends before.
   */
  async until(holds: (client: this) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (holds(this)) resolve();
      else if (this.#hasEnded) reject(new Error("The connection has ended"));
    };
    this.#waiting.add(check);
    check();
    try {
      await within(promise, "it");
    } catch (cause) {
      const got = this.frames.slice(-20).join("\n").slice(-4_000);
      throw new Error(`Waited in vain for ${holds}; got ${got}`, { cause });
    } finally {
      this.#waiting.delete(check);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await within(this.closed, "the end of the connection");
  }
}
