import { assert, assertEquals } from "@std/assert";
import { anew, ask, assertRefused, type HubUnderTest, type PointCheck } from "./hub_under_test.ts";
import { Member } from "./member.ts";

/** A request of an operator. */
function asOperator(
  hub: HubUnderTest,
  path: string,
  init: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Response> {
  const { url, token } = hub.withOperators!;
  const headers = { authorization: `Bearer ${token}` };
  const body = init.body === undefined ? undefined : JSON.stringify(init.body);
  return ask(url + path, { ...init, headers, body });
}

/** Its answer. */
// deno-lint-ignore no-explicit-any
async function answerOf(response: Promise<Response>, status = 200): Promise<any> {
  const answer = await response;
  const text = await answer.text();
  assertEquals(answer.status, status, text);
  return text === "" ? undefined : JSON.parse(text);
}

/** The hub, as its operators' is: open to all. */
function openTo(hub: HubUnderTest): HubUnderTest {
  return { ...hub, url: hub.withOperators!.url };
}

/** The points of operators. */
export const OPERATOR_POINTS: readonly PointCheck[] = [
  {
    id: "OPS-1",
    need: "withOperators",
    async check(hub) {
      const { url } = hub.withOperators!;
      const room = anew("room");
      const requests: [path: string, init?: RequestInit][] = [
        ["/rooms"],
        [`/rooms/${room}/export`],
        [`/rooms/${room}/import`, { method: "POST", body: '{"messages":[]}' }],
        ["/sanctions"],
      ];
      for (const [path, init] of requests) {
        for (const authorization of [undefined, "Bearer x", `Bearer ${"x".repeat(32)}`]) {
          const headers = authorization === undefined ? undefined : { authorization };
          const answer = ask(url + path, { ...init, headers });
          const found = await assertRefused(answer, 401, "unauthorized");
          assertEquals(found.get("www-authenticate"), "Bearer");
        }
      }
      if (!hub.startStoppable) return;
      await using other = await hub.startStoppable();
      for (const [path, init] of requests) {
        const headers = { authorization: `Bearer ${"x".repeat(32)}` };
        await assertRefused(ask(other.url + path, { ...init, headers }), 404, "not_found");
      }
    },
  },
  {
    id: "OPS-2",
    need: "withOperators",
    async check(hub) {
      const prefix = anew("room");
      const names = ["a", "b", "c"].map((letter) => `${prefix}-${letter}`);
      const cursors: string[] = [];
      for (const room of names.toReversed()) {
        const body = { user: "ann", text: "hello" };
        const path = `/rooms/${room}/messages`;
        cursors.unshift(
          (await answerOf(asOperator(hub, path, { method: "POST", body }), 201)).cursor,
        );
      }
      const first = await answerOf(asOperator(hub, `/rooms?limit=2&after=${prefix}`));
      assertEquals(first, {
        rooms: [{ room: names[0], cursor: cursors[0] }, { room: names[1], cursor: cursors[1] }],
        next: names[1],
      });
      let [found, next] = [[] as { room: string; cursor: string }[], names[1] as string | null];
      while (next !== null) {
        const page = await answerOf(asOperator(hub, `/rooms?limit=1000&after=${next}`));
        found = [...found, ...page.rooms];
        next = page.next;
      }
      assertEquals(found[0], { room: names[2], cursor: cursors[2] });
      assertEquals(found.map(({ room }) => room), found.map(({ room }) => room).sort());
      await assertRefused(asOperator(hub, "/rooms?limit=0"), 400, "bad_query");
    },
  },
  {
    id: "OPS-3",
    need: "withOperators",
    async check(hub) {
      const [room, user] = [anew("room"), anew("ann")];
      await using bob = await Member.join(openTo(hub), { room, user: anew("bob"), version: 2 });
      const { url, token } = hub.withOperators!;
      const headers = { authorization: `Bearer ${token}` };
      // Not by `ask`, which waits and tries again.
      const write = async (count: number, user: string, headers?: HeadersInit) => {
        return await Promise.all(Array.from({ length: count }, async (_, n) => {
          const body = JSON.stringify({ user, text: `${n}` });
          const address = `${url}/rooms/${room}/messages`;
          const response = await fetch(address, { method: "POST", headers, body });
          await response.body?.cancel();
          return response.status;
        }));
      };
      // As many as a member may not.
      let count = bob.socket.of("welcome")[0].limits.message_burst;
      while (!(await write(count, anew("eve"))).includes(429) && count < 1_000) count *= 2;
      assertEquals(await write(count, user, headers), Array(count).fill(201));
      await bob.socket.until("all of them", () => {
        return bob.messages.filter((message) => message.user === user).length === count;
      });
    },
  },
  {
    id: "OPS-4",
    need: "withOperators",
    async check(hub) {
      const [room, copy] = [anew("room"), anew("copy")];
      const path = `/rooms/${room}/messages`;
      for (const body of [{ user: "ann", text: "1", data: { n: 1 } }, { user: "bob", text: "2" }]) {
        await answerOf(asOperator(hub, path, { method: "POST", body }), 201);
      }
      const exported = await asOperator(hub, `/rooms/${room}/export`);
      assertEquals(exported.headers.get("content-type"), "application/x-ndjson");
      const lines = (await exported.text()).split("\n");
      assertEquals(lines.pop(), "");
      const messages = lines.map((line) => JSON.parse(line));
      assertEquals(messages.map(({ user, text, data }) => [user, text, data]), [
        ["ann", "1", { n: 1 }],
        ["bob", "2", undefined],
      ]);
      await using eve = await Member.join(openTo(hub), { room: copy, user: anew("eve") });
      const init = { method: "POST", body: { messages } };
      const { cursors } = await answerOf(asOperator(hub, `/rooms/${copy}/import`, init), 201);
      await eve.heard(2);
      const shown = eve.messages.map((
        { user, text, sent_at, data },
      ) => [user, text, sent_at, data]);
      assertEquals(
        shown,
        messages.map(({ user, text, sent_at, data }) => [user, text, sent_at, data]),
      );
      assertEquals(eve.messages.map(({ cursor }) => cursor), cursors);
      const wrong = [{ messages: [{ user: "ann" }] }, { messages: 7 }, {}];
      for (const body of wrong) {
        const answer = asOperator(hub, `/rooms/${copy}/import`, { method: "POST", body });
        await assertRefused(answer, 400, "bad_body");
      }
      const body = { messages: [], more: 1 };
      const answer = asOperator(hub, `/rooms/${copy}/import`, { method: "POST", body });
      await assertRefused(answer, 400, "unknown_field");
    },
  },
  {
    id: "OPS-5",
    need: "withOperators",
    async check(hub) {
      const [one, other, user] = [anew("one"), anew("other"), anew("mallory")];
      await using member = await Member.join(openTo(hub), { room: one, user, version: 2 });
      const body = { user, kind: "ban" };
      assertEquals(
        await answerOf(asOperator(hub, "/sanctions", { method: "POST", body }), 201),
        body,
      );
      assertEquals((await member.socket.first("left")).code, "banned");
      const { sanctions } = await answerOf(asOperator(hub, "/sanctions"));
      const [own] = sanctions.filter((sanction: { user: string }) => sanction.user === user);
      assert(Math.abs(own.at - Date.now()) < 600_000);
      assertEquals([own.kind, own.by], ["ban", undefined]);
      // Also in a room that comes later.
      member.socket.send({ type: "join", room: other });
      assertEquals((await member.socket.first("error")).code, "banned");
      const lift = { method: "DELETE" };
      const path = `/sanctions?user=${user}`;
      assertEquals(await answerOf(asOperator(hub, path, lift), 204), undefined);
      await assertRefused(asOperator(hub, path, lift), 404, "not_found");
      member.socket.send({ type: "join", room: other });
      await member.socket.first("joined", () => true, other);
    },
  },
  {
    id: "OPS-6",
    need: "withOperators",
    async check(hub) {
      const [room, user] = [anew("room"), anew("ann")];
      const path = `/rooms/${room}`;
      await using old = await Member.join(openTo(hub), { room, user: anew("old") });
      await using member = await Member.join(openTo(hub), { room, user, version: 2 });
      const { cursor } = await old.store("secret");
      assertEquals(await answerOf(asOperator(hub, path, { method: "DELETE" }), 204), undefined);
      assertEquals((await member.socket.first("left")).code, "room_deleted");
      assertEquals(await old.socket.closed(), 4504);
      const { messages, older } = await answerOf(asOperator(hub, `${path}/messages`));
      assertEquals([messages, older], [[], null]);
      await assertRefused(asOperator(hub, `${path}/messages/${cursor}`), 404, "not_found");
      assertEquals(await (await asOperator(hub, `${path}/export`)).text(), "");
      const query = new URLSearchParams({ limit: "1000", after: room.slice(0, -1) });
      const { rooms } = await answerOf(asOperator(hub, `/rooms?${query}`));
      assert(rooms.every((listed: { room: string }) => listed.room !== room));
      // A new room of that name, in which nothing from before can be resumed.
      member.socket.send({ type: "join", room, payload: { after: cursor } });
      const joined = await member.socket.first("joined", ({ recovered }) => !recovered, room);
      assert(joined.cursor > cursor);
      await answerOf(asOperator(hub, path, { method: "DELETE" }), 204);
    },
  },
  {
    id: "OPS-7",
    need: "withOperators",
    async check(hub) {
      const [room, user] = [anew("room"), anew("mallory")];
      const path = `/rooms/${room}/messages`;
      const cursors: string[] = [];
      for (const [by, text] of [[user, "1"], ["bob", "2"], [user, "3"]]) {
        const body = { user: by, text };
        const message = await answerOf(asOperator(hub, path, { method: "POST", body }), 201);
        cursors.push(message.cursor);
      }
      await using member = await Member.join(openTo(hub), { room, user: anew("eve"), version: 2 });
      await using old = await Member.join(openTo(hub), { room, user: anew("old") });
      const answer = await asOperator(hub, `/users?user=${user}`, { method: "DELETE" });
      assertEquals(answer.headers.get("content-type"), "application/x-ndjson");
      const lines = (await answer.text()).trim().split("\n").map((line) => JSON.parse(line));
      const { messages: count, reactions, done } = lines.at(-1);
      assertEquals([count, reactions, done], [2, 0, true]);
      assertEquals(await member.socket.first("user_erased"), { user });
      assertEquals(await old.socket.first("user_erased"), { user });
      const page = await answerOf(asOperator(hub, path));
      assertEquals(
        page.messages.map(({ text, deleted }: Record<string, unknown>) => [text, deleted]),
        [[undefined, true], ["2", undefined], [undefined, true]],
      );
      const after = await answerOf(asOperator(hub, `${path}?after=${cursors[1]}`));
      assertEquals(after.erased, [user]);
      const none = asOperator(hub, "/users?user=", { method: "DELETE" });
      await assertRefused(none, 400, "bad_user");
    },
  },
  {
    id: "OPS-8",
    need: "withOperators",
    async check(hub) {
      const answer = await asOperator(hub, "/compact", { method: "POST" });
      const body = await answer.json();
      if (answer.status === 501) return assertEquals(body.error.code, "not_supported");
      assertEquals(answer.status, 200);
      assertEquals(Object.keys(body).sort(), ["after_bytes", "before_bytes", "took_ms"]);
      assert(Object.values(body).every((value) => Number.isInteger(value)));
    },
  },
];
