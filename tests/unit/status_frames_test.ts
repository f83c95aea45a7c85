import { assert, assertEquals } from "@std/assert";
import type { EnvelopeBatch } from "../../src/hub/envelope_batch.ts";
import { StatusFrames } from "../../src/hub/status_frames.ts";
import type { RoomSubscription } from "../../src/hub/subscription.ts";
import { TypingNotifier } from "../../src/hub/typing_notifier.ts";
import { MockClock } from "../helpers/mock_clock.ts";
import { numbers } from "../helpers/stored_lines.ts";

Deno.test("StatusFrames is over beyond a quarter of a second's frames, and forgets within two", () => {
  using clock = new MockClock();
  const frames = new StatusFrames();
  frames.spend(2_000);
  assertEquals(frames.isOver, false);
  frames.spend(8);
  assertEquals(frames.isOver, true);
  clock.tick(1);
  assertEquals(frames.isOver, false);
  frames.spend(1_000_000);
  clock.tick(1_749);
  assertEquals(frames.isOver, true);
  clock.tick(1);
  assertEquals(frames.isOver, false);
});

Deno.test("rooms in which many type wait for each other, and in the end all is told", () => {
  using clock = new MockClock();
  const statusFrames = new StatusFrames();
  let frames = 0;
  const member = {
    user: undefined,
    isBehind: false,
    send: (_batch: EnvelopeBatch) => void frames++,
  } as unknown as RoomSubscription;
  const members = Array.from({ length: 400 }, () => member);
  const rooms = numbers(20).map((room) =>
    new TypingNotifier({
      room,
      timeoutMs: 60_000,
      subscriptions: () => members,
      statusFrames,
      post: () => {},
      hold: { set: () => {} } as never,
    })
  );
  const typists = numbers(25).map((user) => ({ user }) as unknown as RoomSubscription);
  const everybody = (isTyping: boolean) => {
    for (const typist of typists) {
      for (const room of rooms) isTyping ? room.start(typist) : room.stop(typist);
    }
  };
  // While it is calm, what changes is sent at once: in each room the first twenty.
  everybody(true);
  const calm = frames;
  for (let step = 0; step < 60; step++) {
    clock.tick(50);
    everybody(step % 2 === 0);
  }
  everybody(true);
  // In three seconds no more than what may be sent in two of them: without the limit, 96,000.
  assert(frames - calm <= 2 * 8_000, `${frames - calm} frames`);
  for (let step = 0; step < 400; step++) clock.tick(50);
  for (const room of rooms) assertEquals(room.users().length, 25);
  for (const room of rooms) room.clear();
});
