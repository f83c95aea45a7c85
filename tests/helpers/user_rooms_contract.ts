// What every store has to do with users' rooms and read marks: a part of room_log_contract.ts.

import { assert, assertEquals } from "@std/assert";
import type { RoomLog } from "@hubbub/hub";
import { NO_COMMIT } from "../../src/store/cursor.ts";
import { markOf, MARKS_MAX, placeAfter } from "../../src/store/user_rooms.ts";
import type { TestDatabase } from "./room_log_contract.ts";
import { storedEntry } from "./stored_lines.ts";

type Test = (
  what: string,
  fn: (database: TestDatabase, log: RoomLog) => Promise<void>,
) => void;

/** Checks that a mark counts up to a commit, and for none after it. */
function assertMark(mark: string | undefined, marks: readonly string[], at: number): void {
  assert(mark !== undefined && mark >= marks[at], `${mark}`);
  assert(at === marks.length - 1 || mark < marks[at + 1], `${mark}`);
}

/** The cursors of messages in three commits of a room. */
async function threeCommits(log: RoomLog): Promise<string[]> {
  for (const texts of [["a", "b"], ["c"], ["d"]]) {
    await log.append(new Map([["lobby", storedEntry(texts)]]));
  }
  return (await log.last("lobby", { limit: 10 })).map(({ cursor }) => cursor);
}

/** Registers the tests. */
export function testUserRooms(test: Test): void {
  test("a mark counts for its whole commit, and nothing after it", async (_database, log) => {
    const [a, b, c, d] = await threeCommits(log);
    assertEquals(markOf(a), markOf(b));
    const unread = async (cursor: string) => {
      const after = placeAfter(markOf(cursor));
      return (await log.after("lobby", after, { limit: 10 })).map(({ cursor }) => cursor);
    };
    assertEquals(await unread(a), [c, d]);
    assertEquals(await unread(c), [d]);
    assertEquals(await unread(d), []);
    assertEquals((await log.after("lobby", placeAfter(NO_COMMIT), { limit: 10 })).length, 4);
    const upTo = await log.before("lobby", placeAfter(markOf(c)), { limit: 1 });
    assertEquals(upTo[0].cursor, c);
  });

  test("a mark never goes back, whoever moves it", async (database, log) => {
    const cursors = await threeCommits(log);
    const marks = cursors.slice(1).map(markOf);
    const other = await database.open();
    await log.userRooms.mark("ann", new Map([["lobby", marks[1]]]));
    await other.userRooms.mark("ann", new Map([["lobby", marks[0]]]));
    assertMark((await log.userRooms.list("ann")).get("lobby"), marks, 1);
    const moves = [2, 0, 1, 2, 1, 0].map((at, index) => {
      return [log, other][index % 2].userRooms.mark("ann", new Map([["lobby", marks[at]]]));
    });
    await Promise.all(moves);
    assertMark((await other.userRooms.list("ann")).get("lobby"), marks, 2);
  });

  test("users' rooms are their own, by name", async (_database, log) => {
    assertEquals([...await log.userRooms.list("ann")], []);
    const users = ["ann", "ann 2", "a", "李雷", "../ann", 'a"b\\c'];
    for (const [index, user] of users.entries()) {
      for (const room of ["b", "a", "Z"].slice(0, index % 3 + 1)) {
        await log.userRooms.mark(user, new Map([[room, NO_COMMIT]]));
      }
    }
    for (const [index, user] of users.entries()) {
      const rooms = [...(await log.userRooms.list(user)).keys()];
      assertEquals(rooms, [["b"], ["a", "b"], ["Z", "a", "b"]][index % 3], user);
    }
    await log.userRooms.forget("a", ["Z", "b", "never"]);
    await log.userRooms.forget("nobody", ["a"]);
    await log.userRooms.forget("ann 2", []);
    assertEquals([...(await log.userRooms.list("a")).keys()], ["a"]);
    assertEquals([...(await log.userRooms.list("ann 2")).keys()], ["a", "b"]);
  });

  test("a user may have hundreds of rooms", async (_database, log) => {
    const rooms = Array.from({ length: 620 }, (_, index) => `room-${1000 + index}`);
    for (const some of [rooms.slice(0, MARKS_MAX), rooms.slice(MARKS_MAX)]) {
      await log.userRooms.mark("ann", new Map(some.map((room) => [room, NO_COMMIT])));
    }
    assertEquals([...(await log.userRooms.list("ann")).keys()], rooms);
    await log.userRooms.forget("ann", rooms.slice(1));
    assertEquals([...(await log.userRooms.list("ann")).keys()], rooms.slice(0, 1));
  });
}
