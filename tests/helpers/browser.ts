import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { needs } from "./permissions.ts";

/** Where Debian has Chromium, and where the runners of GitHub have Chrome. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Milliseconds that a page has for whatever is expected of it; a busy machine is slow. */
const PATIENCE_MS = 120_000;

const BROWSER_NEEDS = needs("net", "read", "write", "env");
const path = findChromium();

/** For a test that needs a browser: it is ignored, saying so once, where there is none. */
export const BROWSER: { ignore: boolean } = { ignore: path === undefined };

let shared: Browser | undefined;

// One for all tests of a file: starting it takes a second, and two on a busy machine.
if (path !== undefined) {
  Deno.test.beforeAll(async () => void (shared = await launch()));
  Deno.test.afterAll(() => shared?.close());
}

/** Windows in a real Chromium, for as long as a test needs them. */
export class Chromium implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** In that of the test file. */
  static shared(): Chromium {
    if (!shared) throw new Error("Only tests share a Chromium");
    return new Chromium(shared);
  }

  /** In one that is started for them, and ends with them. */
  static async start(): Promise<Chromium> {
    return new Chromium(await launch());
  }

  /** Opens a window that shares nothing with the others, as that of another person. */
  async window(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ locale: "en-GB", ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    return await context.newPage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#browser !== shared) return await this.#browser.close();
    for (const context of this.#contexts) await context.close();
  }
}

async function launch(): Promise<Browser> {
  // Imported only here: its modules look at the environment, which takes a permission.
  // It would look into /proc for Windows below this Linux, which takes all permissions there are.
  Deno.env.set("__IS_WSL_TEST__", "1");
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
    executablePath: path,
    args: ARGS,
    headless: true,
    timeout: PATIENCE_MS,
  });
}

function findChromium(): string | undefined {
  if (BROWSER_NEEDS.ignore) return undefined;
  const path = PATHS.find((path) => isFile(path));
  if (path === undefined) {
    console.warn(`Tests of the page are ignored: there is no Chromium at ${PATHS.join(" or ")}`);
    return undefined;
  }
  const { state } = Deno.permissions.querySync({ name: "run", command: path });
  if (state === "granted") return path;
  console.warn(`Tests of the page are ignored: they need --allow-run=${path}`);
  return undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
