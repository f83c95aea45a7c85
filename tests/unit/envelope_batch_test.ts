import { assertEquals, assertThrows } from "@std/assert";
import { EnvelopeBatch, type Hub, type StatusChange } from "@hubbub/hub";
import { createTestHub } from "../helpers/test_hub.ts";

/** A member that keeps what each batch says it changes, beside what is written in it. */
class ChangeRecorder {
  readonly changes: StatusChange[] = [];
  readonly written: unknown[] = [];

  constructor(readonly user: string) {}

  send(batch: EnvelopeBatch): void {
    if (!batch.changes) return;
    this.changes.push(...batch.changes);
    this.written.push(...batch.envelopes.map((text) => {
      const { type, payload } = JSON.parse(text);
      return type === "typing_status"
        ? { kind: "typing", ...payload }
        : { kind: "presence", user: payload.user, status: payload.status === "joined" };
    }));
  }

  close(): void {}
}

function member(hub: Hub, user: string) {
  return hub.join("lobby", { user, send() {}, close() {} });
}

Deno.test("EnvelopeBatch says of each ephemeral envelope what it changes", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const watcher = new ChangeRecorder("watcher");
  await hub.join("lobby", watcher).joined;
  const ann = member(hub, "ann");
  await ann.joined;
  ann.typing(true);
  ann.typing(false);
  ann.leave();
  assertEquals(watcher.changes, [
    { kind: "presence", user: "ann", status: true },
    { kind: "typing", user: "ann", status: true },
    { kind: "typing", user: "ann", status: false },
    { kind: "presence", user: "ann", status: false },
  ]);
  assertEquals(watcher.changes, watcher.written);
});

Deno.test("EnvelopeBatch says of gathered arrivals what each changes", async () => {
  using kv = await Deno.openKv(":memory:");
  await using hub = createTestHub(kv).hub;
  const watcher = new ChangeRecorder("watcher");
  await hub.join("lobby", watcher).joined;
  for (let i = 0; i < 100; i++) member(hub, `user ${i}`);
  const deadline = performance.now() + 10_000;
  while (watcher.changes.length < 100 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(watcher.changes.length, 100);
  assertEquals(watcher.changes, watcher.written);
});

Deno.test("EnvelopeBatch refuses changes that do not go with its envelopes", () => {
  const change = { kind: "typing", user: "ann", status: true } as const;
  assertThrows(() => new EnvelopeBatch(["{}", "{}"], { changes: [change] }), RangeError);
});
