// Who is put out gets nothing that stands behind that in the log.

import { assertEquals } from "@std/assert";
import type { Member } from "@hubbub/hub";
import type { LeftCode } from "@hubbub/hub/protocol";
import { eventually } from "../helpers/patience.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

class Guest extends TestMember implements Member {
  readonly codes: LeftCode[] = [];
  putOut(code: LeftCode): void {
    this.codes.push(code);
  }
  refuseJoin({ code }: { code: string }): void {
    this.codes.push(code as LeftCode);
  }
}

Deno.test("who is banned gets what stands before, and nothing behind, in one piece of the log", async () => {
  await using isolates = await TestIsolates.open();
  const [one, other] = isolates.startAll(2);
  const [bob, cleo] = [new Guest("bob"), new Guest("cleo")];
  for (const member of [bob, cleo]) await other.hub.join("lobby", member).joined;
  // What the other has to read together.
  isolates.loses = ({ kind }) => kind === "messages";
  const say = (text: string) => one.hub.publish("lobby", "ann", { text });
  await say("before");
  await one.hub.sanctions.impose("lobby", { user: "bob", kind: "ban" });
  await say("between");
  await one.hub.sanctions.impose("lobby", { user: "cleo", kind: "kick" });
  await say("behind");
  await eventually(() => bob.codes.length + cleo.codes.length === 2, "both to be put out");
  assertEquals([bob.said, bob.codes], [["before"], ["banned"]]);
  assertEquals([cleo.said, cleo.codes], [["before", "between"], ["kicked"]]);
});

Deno.test("who is banned while a room is being opened does not come in", async () => {
  await using isolates = await TestIsolates.open();
  const [one, other] = isolates.startAll(2);
  await one.hub.publish("lobby", "ann", { text: "hello" });
  // From here on the room has changes, and no sanction.
  for await (const _ of one.hub.deletions.eraseUser("ann")) { /* until it is done */ }
  const { log } = other;
  const meta = log.meta.bind(log);
  log.meta = async (room) => {
    const found = await meta(room);
    if (room === "lobby") {
      log.meta = meta;
      await one.hub.sanctions.impose("lobby", { user: "bob", kind: "ban" });
    }
    return found;
  };
  const bob = new Guest("bob");
  await other.hub.join("lobby", bob).joined;
  assertEquals(bob.codes, ["banned"]);
});
