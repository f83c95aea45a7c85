import { within } from "./patience.ts";

/** One event as it came over the wire. */
export interface ReadEvent {
  readonly event?: string;
  readonly id?: string;
  readonly retry?: string;
  readonly comment?: string;
  /** The data, parsed. */
  // deno-lint-ignore no-explicit-any
  readonly data?: any;
}

/** Reads `GET {url}` as server-sent events, one by one. */
export class EventReader implements AsyncDisposable {
  /** The response. */
  readonly response: Response;
  readonly #lines: AsyncGenerator<string>;
  readonly #stop: AbortController;

  private constructor(response: Response, stop: AbortController) {
    this.response = response;
    this.#stop = stop;
    this.#lines = linesOf(response.body!);
  }

  /** Opens one. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const stop = new AbortController();
    return new EventReader(await fetch(url, { headers, signal: stop.signal }), stop);
  }

  /** The next event, or undefined where the stream ended cleanly. */
  async next(): Promise<ReadEvent | undefined> {
    const fields: Record<string, string> = {};
    while (true) {
      const { value: line, done } = await within(this.#lines.next(), "the next line");
      if (done) return undefined;
      if (line === "") {
        const { data, ...rest } = fields;
        return data === undefined ? rest : { ...rest, data: JSON.parse(data) };
      }
      const colon = line.indexOf(":");
      fields[line.slice(0, colon) || "comment"] = line.slice(colon + 1);
    }
  }

  /** Events up to and with the first of this name. */
  async until(name: string): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    while (true) {
      const event = await this.next();
      if (!event) throw new Error(`The stream ended before "${name}"`);
      events.push(event);
      if (event.event === name) return events;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#lines.return(undefined).catch(() => {});
  }
}

async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
