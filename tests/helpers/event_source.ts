/// <reference lib="dom" />

/** What an {@linkcode EventSource} in a page has seen so far. */
export interface SourceReport {
  /** The texts of messages, in the order in which they came. */
  readonly texts: readonly string[];
  /** The codes of events of the type `error` that the server sent. */
  readonly codes: readonly string[];
  /** How many times `joined` came. */
  readonly joins: number;
  /** Whether the browser has given it up for good. */
  readonly isDead: boolean;
}

/** A page, as far as both drivers of browsers have the same. */
export interface AnyPage {
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
}

/** Milliseconds that a browser has; one that comes back may wait for ten seconds and more. */
const PATIENCE_MS = 90_000;

/** The browser's own `EventSource`, in a page. */
export class PageEventSource {
  readonly #page: AnyPage;

  private constructor(page: AnyPage) {
    this.#page = page;
  }

  /** Opens one in the page that is shown. */
  static async open(
    page: AnyPage,
    url: string,
    options: EventSourceInit = {},
  ): Promise<PageEventSource> {
    await page.evaluate(`(${listen})(${JSON.stringify(url)}, ${JSON.stringify(options)})`);
    return new PageEventSource(page);
  }

  /** What it has seen so far. */
  async report(): Promise<SourceReport> {
    return await this.#page.evaluate(`(${tell})()`) as SourceReport;
  }

  /** Waits until it has seen what is expected; fails at once where it is dead. */
  async until(what: string, isSeen: (report: SourceReport) => boolean): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const report = await this.report();
      if (isSeen(report)) return;
      const state = JSON.stringify(report);
      if (report.isDead) throw new Error(`The browser has given up before ${what}: ${state}`);
      if (performance.now() > until) throw new Error(`It waits in vain for ${what}: ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Listening {
  source: EventSource;
  report: { texts: string[]; codes: string[]; joins: number };
}

/** Runs in the page. */
function listen(url: string, options: EventSourceInit): void {
  const source = new EventSource(url, options);
  const report: Listening["report"] = { texts: [], codes: [], joins: 0 };
  Object.assign(globalThis, { source, report });
  source.addEventListener("chat_message", ({ data }) => {
    report.texts.push(JSON.parse(data).text);
  });
  source.addEventListener("joined", () => void report.joins++);
  source.addEventListener("error", (event) => {
    if (event instanceof MessageEvent) report.codes.push(JSON.parse(event.data).code);
  });
}

/** Runs in the page. */
function tell(): SourceReport {
  const { source, report } = globalThis as unknown as Listening;
  return { ...report, isDead: source.readyState === EventSource.CLOSED };
}
