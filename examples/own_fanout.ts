// Two hubs over one database that tell each other of messages, presence and typing by a fan-out of
// your own, with users whom the application knows.
// deno run --allow-net own_fanout.ts

import { createServer, Hub, KvRoomLog, tokenOf } from "@hubbub/hub";
import type { Authorize, Fanout } from "@hubbub/hub";

/** A fan-out over an EventTarget; over a network, publish and subscribe would use a broker. */
class BusFanout implements Fanout {
  readonly #bus: EventTarget;
  readonly #closing = new AbortController();

  constructor(bus: EventTarget) {
    this.#bus = bus;
  }

  publish(message: unknown): void {
    queueMicrotask(() => this.#bus.dispatchEvent(new CustomEvent("packet", { detail: message })));
  }

  subscribe(listener: (message: unknown) => void): void {
    const hear = (event: Event) => listener((event as CustomEvent<unknown>).detail);
    this.#bus.addEventListener("packet", hear, {
      signal: this.#closing.signal,
    });
  }

  close(): void {
    this.#closing.abort();
  }
}

const sessions = new Map([["s-ann", "ann"], ["s-bob", "bob"]]);
const authorize: Authorize = (request) => {
  const user = sessions.get(tokenOf(request) ?? "");
  if (user === undefined) return { denied: "Please log in" };
  return { user, roleIn: (room) => room === "staff" && user !== "ann" ? "none" : "member" };
};

const kv = await Deno.openKv(":memory:");
const bus = new EventTarget();
for (let i = 0; i < 2; i++) {
  const hub = new Hub(new KvRoomLog(kv), { fanout: new BusFanout(bus) });
  const chat = createServer(hub, { authorize });
  Deno.serve({ hostname: "127.0.0.1", port: 0 }, chat.fetch);
}
