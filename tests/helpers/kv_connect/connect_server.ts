// A KV server over the wire that treats its clients badly: it loses answers, is late, freezes,
// refuses, and lets watches go silent. Behind it is a database of its own, or a real KV server.

import { ConnectStore } from "./connect_store.ts";
import { PROTOCOL_VERSION } from "./datapath.ts";

/** What clients show. */
export const ACCESS_TOKEN = "a token of the tests";

/** What a client may call; the metadata comes first. */
export type ConnectMethod = "metadata" | "snapshot_read" | "atomic_write" | "watch";

/** One call of a client. */
export interface ConnectCall {
  readonly method: ConnectMethod;
  /**
   * Tells whether it is a write of a text: what is written is in there as UTF-8.
   *
   * @param text A text that is in no other message.
   */
  writes(text: string): boolean;
}

/** Treats one call: `forward` has it answered. */
export type Treatment = (
  call: ConnectCall,
  forward: () => Promise<Response>,
) => Promise<Response> | Response;

/** Answers a call, as the server would that is behind. */
type Backend = (method: ConnectMethod, request: Request, body: Uint8Array) => Promise<Response>;

/** A KV server with faults. */
export class ConnectServer implements AsyncDisposable {
  /** What is done with each call; by default it is answered. */
  treat: Treatment | undefined;
  /** By method, how often it was called. */
  readonly calls = new Map<ConnectMethod, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #backend: Backend;
  readonly #close: () => void;
  /** What ends each watch that is open. */
  readonly #watches = new Map<number, () => void>();
  readonly #closing = new AbortController();
  #thawed: PromiseWithResolvers<void> | undefined;
  #silentBelow = 0;
  #opened = 0;

  private constructor(backend: Backend, close: () => void) {
    this.#backend = backend;
    this.#close = close;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#closing.signal,
      onListen() {},
    }, (request) => this.#answer(request));
  }

  /**
   * Starts a server with a database of its own.
   *
   * @param path The database's file. @default {in memory}
   */
  static overStore(path?: string): ConnectServer {
    const store = new ConnectStore(path);
    return new ConnectServer((method, _, body) => {
      return Promise.resolve(method === "metadata" ? metadata() : store.answer(method, body));
    }, () => store[Symbol.dispose]());
  }

  /**
   * Starts a server in front of another one.
   *
   * @param url Where that is.
   */
  static before(url: string): ConnectServer {
    const { origin } = new URL(url);
    // One client a server: what it holds open ends with it.
    const client = Deno.createHttpClient({});
    return new ConnectServer(async (_, request, body) => {
      const { pathname } = new URL(request.url);
      const { headers } = request;
      const init = { method: "POST", headers, body: body.slice(), client };
      const answer = await fetch(origin + pathname, init);
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    }, () => client.close());
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** How many watches are open. */
  get watching(): number {
    return this.#watches.size;
  }

  /** Answers nothing any more until it is thawed, as a process that was stopped. */
  freeze(): void {
    this.#thawed ??= Promise.withResolvers();
  }

  /** Goes on, also with what was asked meanwhile. */
  thaw(): void {
    this.#thawed?.resolve();
    this.#thawed = undefined;
  }

  /** Lets the watches that are open tell nothing any more; nobody is told. */
  silenceWatches(): void {
    this.#silentBelow = this.#opened;
  }

  /** Ends the watches that are open. */
  endWatches(): void {
    for (const end of [...this.#watches.values()]) end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    this.endWatches();
    // Not in order: connections that are stuck would hold it up.
    this.#closing.abort();
    await this.#server.finished;
    this.#close();
  }

  async #answer(request: Request): Promise<Response> {
    const method = methodOf(request.url);
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    try {
      const body = await request.bytes();
      await this.#thawed?.promise;
      const forward = async () => {
        const answer = await this.#backend(method, request, body);
        await this.#thawed?.promise;
        return method === "watch" ? this.#watched(answer) : answer;
      };
      const writes = (text: string) =>
        method === "atomic_write" && new TextDecoder().decode(body).includes(`"${text}"`);
      return await (this.treat ? this.treat({ method, writes }, forward) : forward());
    } catch {
      // The client has gone, or what is behind has.
      return new Response(null, { status: 503 });
    }
  }

  #watched({ body, status, headers }: Response): Response {
    if (!body) return new Response(null, { status, headers });
    const reader = body.getReader();
    const number = this.#opened++;
    const stream = new ReadableStream<Uint8Array>({
      start: (watch) => {
        const end = () => {
          if (!this.#watches.delete(number)) return;
          void reader.cancel().catch(() => {});
          watch.close();
        };
        this.#watches.set(number, end);
        void this.#pass(reader, watch, number).finally(end);
      },
      cancel: async () => {
        this.#watches.delete(number);
        await reader.cancel();
      },
    });
    return new Response(stream, { status, headers });
  }

  /** Passes on what a watch tells, as long as it is open. */
  async #pass(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    watch: ReadableStreamDefaultController<Uint8Array>,
    number: number,
  ): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ done: true, value: undefined }));
      await this.#thawed?.promise;
      if (done || !this.#watches.has(number)) return;
      if (number >= this.#silentBelow && value) watch.enqueue(value);
    }
  }
}

function methodOf(url: string): ConnectMethod {
  const last = new URL(url).pathname.split("/").at(-1)!;
  return last === "" ? "metadata" : last as ConnectMethod;
}

function metadata(): Response {
  return Response.json({
    version: PROTOCOL_VERSION,
    databaseId: crypto.randomUUID(),
    endpoints: [{ url: "/v2", consistency: "strong" }],
    token: ACCESS_TOKEN,
    expiresAt: new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString(),
  });
}
