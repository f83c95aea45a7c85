/// <reference lib="dom" />
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { needs } from "./permissions.ts";

/** Where Debian has Firefox. */
const PATH = "/usr/bin/firefox-esr";

/** Milliseconds that a page has for whatever is expected of it; a busy machine is slow. */
const PATIENCE_MS = 120_000;

/**
 * For a test that needs Firefox: it is ignored, saying so once, where there is none. The library that
 * drives it has timers of its own, which go on for a moment after a page is closed.
 */
export const FIREFOX = {
  ignore: !hasFirefox(),
  sanitizeOps: false,
  sanitizeResources: false,
} as const;

let shared: Browser | undefined;

// One for all tests of a file: starting it takes some seconds.
if (!FIREFOX.ignore) {
  Deno.test.beforeAll(async () => void (shared = await launch()));
  Deno.test.afterAll(() => shared?.close());
}

/** Windows in the real Firefox of the test file, over WebDriver BiDi. */
export class Firefox implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Windows for as long as a test needs them. */
  static shared(): Firefox {
    if (!shared) throw new Error("Only tests share a Firefox");
    return new Firefox(shared);
  }

  /** Opens a window that shares nothing with the others, as that of another person. */
  async window(): Promise<Page> {
    const context = await this.#browser.createBrowserContext();
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const context of this.#contexts) await context.close();
  }
}

async function launch(): Promise<Browser> {
  const { default: puppeteer } = await import("puppeteer-core");
  const options = { browser: "firefox", executablePath: PATH, headless: true } as const;
  return await puppeteer.launch({ ...options, timeout: PATIENCE_MS });
}

/** Opens the link to a room and gives a name at the door. */
export async function enterRoom(page: Page, link: string, user: string): Promise<void> {
  await page.goto(link);
  await page.locator("#door-user").fill(user);
  await page.focus("#door-user");
  await page.keyboard.press("Enter");
  await isState(page, "Connected");
}

/** Waits until the page says that its connection is like this. */
export async function isState(page: Page, words: string): Promise<void> {
  await page.waitForFunction(
    (words) => document.getElementById("state")?.textContent === words,
    {},
    words,
  );
}

/** Waits until there are this many elements. */
export async function isCount(page: Page, selector: string, count: number): Promise<void> {
  await page.waitForFunction(
    (selector, count) => document.querySelectorAll(selector).length === count,
    {},
    selector,
    count,
  );
}

function hasFirefox(): boolean {
  if (needs("net", "read", "write", "env").ignore) return false;
  try {
    Deno.statSync(PATH);
  } catch {
    console.warn(`Tests of the page in Firefox are ignored: there is none at ${PATH}`);
    return false;
  }
  const { state } = Deno.permissions.querySync({ name: "run", command: PATH });
  if (state === "granted") return true;
  console.warn(`Tests of the page in Firefox are ignored: they need --allow-run=${PATH}`);
  return false;
}
