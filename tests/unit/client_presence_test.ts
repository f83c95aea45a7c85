import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { UserLists } from "@hubbub/hub/client";
import { SortedNames } from "../../src/client/sorted_names.ts";
import { presence, settle, start, typing } from "../helpers/fake_socket.ts";

Deno.test("SortedNames is the sorted set of what was added and not removed", () => {
  const name = fc.constantFrom("ann", "bob", "Cy", "dan", "é", "z", "🙂", "");
  const step = fc.record({ name, isAdded: fc.boolean() });
  fc.assert(fc.property(fc.array(name), fc.array(step), (first, steps) => {
    const names = new SortedNames();
    names.reset(first);
    const model = new Set(first);
    for (const { name, isAdded } of steps) {
      const before = names.list;
      const copy = [...before];
      const has = model.has(name);
      assertEquals(isAdded ? names.add(name) : names.delete(name), isAdded ? !has : has);
      if (isAdded) model.add(name);
      else model.delete(name);
      assertEquals(names.list, [...model].sort());
      // What was given out stays.
      assertEquals(before, copy);
    }
    assert(names.list === names.list);
  }));
});

Deno.test("ChatConnection tells of 4,000 arrivals once a turn, sorted as the server sorts", async () => {
  using test = await start();
  test.socket.join({ users: ["ann"] });
  await settle();
  const told: UserLists[] = [];
  let arrivals = 0;
  test.ann.addEventListener("users", ({ detail }) => told.push(detail));
  test.ann.addEventListener("presence", () => arrivals++);
  const users = Array.from(
    { length: 4_000 },
    (_, index) => `user ${(index * 2_654_435_761) % 4_093}`,
  );
  // In 40 frames, each a turn of its own.
  for (let frame = 0; frame < 40; frame++) {
    const some = users.slice(100 * frame, 100 * (frame + 1));
    test.socket.say(presence(some));
    await Promise.resolve();
  }
  assertEquals(told.length, 40);
  assertEquals(arrivals, 4_000);
  assertEquals(told[39].users, ["ann", ...users].sort());
  assertEquals(told[0].users.length, 101);
  assertEquals(test.ann.users, told[39].users);
});

Deno.test("ChatConnection emits `users` for whatever changes them, and for nothing else", async () => {
  using test = await start();
  const told: UserLists[] = [];
  test.ann.addEventListener("users", ({ detail }) => told.push(detail));
  const after = async (act: () => void) => {
    told.length = 0;
    act();
    await settle();
    return told.map(({ users, typingUsers }) => [users, typingUsers]);
  };
  const { socket } = test;
  assertEquals(await after(() => socket.join({ users: ["ann", "cy"], typing: ["cy"] })), [
    [["ann", "cy"], ["cy"]],
  ]);
  assertEquals(await after(() => socket.say(presence(["bob"]))), [
    [["ann", "bob", "cy"], ["cy"]],
  ]);
  assertEquals(await after(() => socket.say(presence(["bob"]))), []);
  assertEquals(await after(() => socket.say(typing("cy", false))), [
    [["ann", "bob", "cy"], []],
  ]);
  assertEquals(await after(() => socket.say(typing("cy", false))), []);
  await after(() => socket.say(typing("bob", true)));
  assertEquals(await after(() => socket.end(1006)), [[["ann", "bob", "cy"], []]]);
  assertEquals(await after(() => test.ann.close()), []);
});
