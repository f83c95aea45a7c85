import { assertEquals } from "@std/assert";
import { type ScheduledWriter, WriteScheduler } from "../../src/connection/write_scheduler.ts";

/** A socket that writes down what it sends, and is behind until the test says. */
class Taker implements ScheduledWriter {
  isBehind = false;
  /** Whether what is sent takes until the test says. */
  takesLong = false;
  constructor(readonly name: string, readonly frames: string[], readonly sent: string[]) {}
  get nextLength(): number {
    return this.frames[0].length;
  }
  sendNext(): boolean {
    this.isBehind ||= this.takesLong;
    this.sent.push(`${this.name} ${this.frames.shift()}`);
    return this.frames.length > 0;
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("WriteScheduler sends everybody one frame before anybody's next", async () => {
  const sent: string[] = [];
  const scheduler = new WriteScheduler();
  for (const name of ["ann", "bob"]) scheduler.add(new Taker(name, ["1", "2"], sent));
  scheduler.add(new Taker("cleo", ["1"], sent));
  await settled();
  assertEquals(sent, ["ann 1", "bob 1", "cleo 1", "ann 2", "bob 2"]);
});

Deno.test("WriteScheduler goes on when the last frames have gone out", async () => {
  const sent: string[] = [];
  const scheduler = new WriteScheduler();
  const takers = ["ann", "bob"].map((name) => new Taker(name, ["1", "2"], sent));
  for (const taker of takers) {
    taker.takesLong = true;
    scheduler.add(taker);
  }
  await settled();
  assertEquals(sent, ["ann 1", "bob 1"]);
  takers[1].isBehind = false;
  await settled();
  assertEquals(sent, ["ann 1", "bob 1", "ann 2", "bob 2"]);
});

Deno.test("WriteScheduler waits for nobody who was behind before", async () => {
  const sent: string[] = [];
  const scheduler = new WriteScheduler();
  const slow = new Taker("slow", ["1", "2"], sent);
  slow.isBehind = true;
  scheduler.add(slow);
  scheduler.add(new Taker("ann", ["1", "2"], sent));
  await settled();
  assertEquals(sent, ["slow 1", "ann 1", "slow 2", "ann 2"]);
});

Deno.test("WriteScheduler sends only so much at once", async () => {
  const sent: string[] = [];
  const scheduler = new WriteScheduler();
  const long = "x".repeat(300_000);
  const takers = ["ann", "bob", "cleo"].map((name) => new Taker(name, [long], sent));
  for (const taker of takers) {
    taker.takesLong = true;
    scheduler.add(taker);
  }
  await settled();
  assertEquals(sent.length, 2);
  for (const taker of takers) taker.isBehind = false;
  await settled();
  assertEquals(sent.length, 3);
});

Deno.test("WriteScheduler takes in who comes while others are sent theirs", async () => {
  const sent: string[] = [];
  const scheduler = new WriteScheduler();
  scheduler.add(new Taker("ann", ["1"], sent));
  await settled();
  scheduler.add(new Taker("bob", ["1", "2"], sent));
  await settled();
  assertEquals(sent, ["ann 1", "bob 1", "bob 2"]);
});
