import { assertEquals } from "@std/assert";
import { Turns, type TurnTaker } from "../src/turns.ts";

/** A socket that writes down what it sends, and is behind until the test says. */
class Taker implements TurnTaker {
  isBehind = false;
  constructor(readonly name: string, readonly frames: string[], readonly sent: string[]) {}
  sendNext(): boolean {
    this.sent.push(`${this.name} ${this.frames.shift()}`);
    return this.frames.length > 0;
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("Turns sends everybody one frame before anybody's next", async () => {
  const sent: string[] = [];
  const turns = new Turns();
  for (const name of ["ann", "bob"]) turns.add(new Taker(name, ["2", "3"], sent));
  turns.add(new Taker("cleo", ["2"], sent));
  await settled();
  assertEquals(sent, ["ann 2", "bob 2", "cleo 2", "ann 3", "bob 3"]);
});

Deno.test("Turns goes on when the last frames have gone out", async () => {
  const sent: string[] = [];
  const turns = new Turns();
  const takers = ["ann", "bob"].map((name) => new Taker(name, ["2"], sent));
  for (const taker of takers) {
    taker.isBehind = true;
    turns.add(taker);
  }
  await settled();
  assertEquals(sent, []);
  takers[1].isBehind = false;
  await settled();
  assertEquals(sent, ["ann 2", "bob 2"]);
});

Deno.test("Turns waits for nobody who was behind before", async () => {
  const sent: string[] = [];
  const turns = new Turns();
  const [slow, ann] = ["slow", "ann"].map((name) => new Taker(name, ["2", "3"], sent));
  slow.isBehind = true;
  turns.add(slow, false);
  turns.add(ann, true);
  await settled();
  assertEquals(sent, ["slow 2", "ann 2", "slow 3", "ann 3"]);
});

Deno.test("Turns takes in who comes while others are sent theirs", async () => {
  const sent: string[] = [];
  const turns = new Turns();
  turns.add(new Taker("ann", ["2"], sent));
  await settled();
  turns.add(new Taker("bob", ["2", "3"], sent));
  await settled();
  assertEquals(sent, ["ann 2", "bob 2", "bob 3"]);
});
