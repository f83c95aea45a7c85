/** Milliseconds after which what a check waits for will not come, also on a busy machine. */
export const PATIENCE_MS = 20_000;

/** An envelope as it came. */
export interface Envelope {
  readonly type: string;
  readonly room?: string;
  // deno-lint-ignore no-explicit-any
  readonly payload: any;
  /** Its JSON text. */
  readonly text: string;
}

/** Called with every frame that any socket gets, and the subprotocol that it speaks. */
export const observers: Set<(frame: string, protocol: string) => void> = new Set();

/** A WebSocket that writes down what it gets, and knows nothing of the hub's own code. */
export class Socket implements AsyncDisposable {
  /** The text frames, as they came. */
  readonly frames: string[] = [];
  /** The envelopes in them. */
  readonly envelopes: Envelope[] = [];
  /** The close code, once there is one. */
  code: number | undefined;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;

  /**
   * Connects.
   *
   * @param url The address: `http://…` or `https://…`.
   * @param protocols What is offered.
   */
  constructor(url: string, protocols: readonly string[] = []) {
    this.#socket = new WebSocket(url.replace(/^http/, "ws"), [...protocols]);
    this.#socket.onopen = () => this.#look();
    this.#socket.onmessage = ({ data }) => {
      this.frames.push(data);
      for (const observe of observers) observe(data, this.protocol);
      for (const text of `${data}`.split("\n")) {
        this.envelopes.push({ ...JSON.parse(text), text });
      }
      this.#look();
    };
    this.#ended = new Promise((resolve) => {
      this.#socket.onclose = ({ code }) => {
        this.code = code;
        this.#look();
        resolve();
      };
    });
  }

  /** The subprotocol that the server chose; empty for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Waits until it is open. */
  async opened(): Promise<this> {
    await this.until("an open socket", () => this.#socket.readyState === WebSocket.OPEN);
    return this;
  }

  /** The payloads of a type, those of a room where one is given. */
  of(type: string, room?: string): Envelope["payload"][] {
    return this.envelopes
      .filter((envelope) =>
        envelope.type === type && (room === undefined || envelope.room === room)
      )
      .map(({ payload }) => payload);
  }

  /** Sends envelopes in one frame. */
  send(...envelopes: object[]): void {
    this.raw(envelopes.map((envelope) => JSON.stringify(envelope)).join("\n"));
  }

  /** Sends a frame as it is. */
  raw(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /**
   * Waits for the answer to a `ping`: what was sent before it was looked at by then, and refused if
   * it is.
   */
  async settled(): Promise<void> {
    const before = this.of("pong").length;
    this.send({ type: "ping", payload: {} });
    await this.until("a pong", () => this.of("pong").length > before);
  }

  /** Waits for the payload of a type that passes a test, and gives the first. */
  async first(
    type: string,
    test: (payload: Envelope["payload"]) => boolean = () => true,
    room?: string,
  ): Promise<Envelope["payload"]> {
    await this.until(`${type} ${test}`, () => this.of(type, room).some(test));
    return this.of(type, room).find(test);
  }

  /** Waits for the end, and gives its code. */
  async closed(): Promise<number> {
    await this.until("the end of the connection", () => this.code !== undefined, true);
    return this.code!;
  }

  /**
   * Waits until something holds, looked at after each frame.
   *
   * @param what What that is, for the error.
   * @param holds Whether it does.
   * @param isEnd Whether the end of the connection will do as well.
   * @throws {Error} Where it takes too long, or the connection ends before.
   */
  async until(what: string, holds: () => boolean, isEnd = false): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) => {
      const got = this.frames.slice(-12).join("\n");
      reject(new Error(`Waited for ${what}, ${why}. The last frames:\n${got}`));
    };
    const check = () => {
      if (holds() || (isEnd && this.code !== undefined)) resolve();
      else if (this.code !== undefined) fail(`and the connection ended: ${this.code}`);
    };
    const timer = setTimeout(() => fail(`${PATIENCE_MS / 1000} s in vain`), PATIENCE_MS);
    this.#waiting.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  /** Hangs up, and waits until that is done. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #look(): void {
    for (const check of this.#waiting) check();
  }
}
