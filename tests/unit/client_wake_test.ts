import { assert, assertEquals } from "@std/assert";
import { settle, start, waiting } from "../helpers/fake_socket.ts";

/** An event target that counts its listeners, as a page's `document` or window. */
class Target extends EventTarget {
  visibilityState = "visible";
  readonly listeners = new Map<string, number>();

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions,
  ): void {
    this.#count(type, 1);
    options?.signal?.addEventListener("abort", () => this.#count(type, -1));
    super.addEventListener(type, listener, options);
  }

  #count(type: string, change: number): void {
    this.listeners.set(type, (this.listeners.get(type) ?? 0) + change);
  }

  get size(): number {
    return [...this.listeners.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** Gives this isolate what a browser's page has. */
function page() {
  const document = new Target();
  const window = new Target();
  const { addEventListener } = globalThis;
  Object.assign(globalThis, {
    document,
    addEventListener: window.addEventListener.bind(window),
  });
  return {
    document,
    window,
    [Symbol.dispose]() {
      Object.assign(globalThis, { addEventListener });
      delete (globalThis as { document?: unknown }).document;
    },
  };
}

const EVENTS = [
  ["document", "visibilitychange"],
  ["document", "resume"],
  ["window", "pageshow"],
  ["window", "online"],
  ["window", "offline"],
] as const;

for (const [target, type] of EVENTS) {
  Deno.test(`ChatConnection tests its connection at once on ${type}`, async () => {
    using browser = page();
    using test = await start();
    test.socket.join();
    await test.tick(3_000);
    browser[target].dispatchEvent(new Event(type));
    assertEquals(test.socket.sent("ping").length, 1);
    // Another such event while the answer is awaited changes nothing.
    browser[target].dispatchEvent(new Event(type));
    assertEquals(test.socket.sent("ping").length, 1);
    await test.tick(4_999);
    assertEquals(test.ann.state.status, "live");
    await test.tick(1);
    assertEquals(waiting(test.ann.state).reason, "The connection is silent");
  });
}

Deno.test("ChatConnection leaves a page alone that is hidden", async () => {
  using browser = page();
  using test = await start();
  test.socket.join();
  browser.document.visibilityState = "hidden";
  browser.document.dispatchEvent(new Event("visibilitychange"));
  assertEquals(test.socket.sent("ping").length, 0);
});

for (const [target, type] of EVENTS.filter(([, type]) => type !== "offline")) {
  Deno.test(`ChatConnection tries again at once on ${type}, but not in a storm`, async () => {
    using browser = page();
    using test = await start({ reconnect: { minDelayMs: 1e6, maxDelayMs: 1e6 } });
    test.socket.join();
    await test.tick(3_000);
    test.socket.end(1006);
    browser[target].dispatchEvent(new Event(type));
    await settle();
    assertEquals(test.sockets.length, 2);
    for (let flips = 0; flips < 50; flips++) {
      test.socket.end(1006);
      await settle();
      browser[target].dispatchEvent(new Event(type));
      await test.tick(100);
    }
    // Five seconds: one try in each.
    assert(test.sockets.length <= 8, `${test.sockets.length} sockets`);
  });
}

Deno.test("ChatConnection leaves no listener behind when it is closed", async () => {
  using browser = page();
  const controller = new AbortController();
  for (let count = 0; count < 3; count++) {
    using test = await start({ signal: controller.signal });
    test.socket.join();
    test.socket.end(1006);
    await test.tick(500);
    assert(browser.document.size > 0 && browser.window.size > 0);
    test.ann.close();
    assertEquals([browser.document.size, browser.window.size], [0, 0]);
  }
});
