import { assert, assertEquals } from "@std/assert";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

/** No limit on messages: a busy room. */
const BUSY = { messages_per_second: 0, message_burst: 0 };
/** What lets a frame hold several envelopes. */
const LINES = ["hubbub.v1.lines"];
/** What one message says besides its number. */
const FILLING = "x".repeat(4_000);

/** Goes on saying numbers, as fast as the speaker itself gets them back, until it is enough. */
async function fill(speaker: TestClient, isEnough: () => boolean): Promise<number> {
  let count = speaker.said.length;
  while (!isEnough()) {
    for (let i = 0; i < 50; i++) speaker.say(`${count++} ${FILLING}`);
    const last = `${count - 1} `;
    await speaker.first("chat_message", ({ text }) => text.startsWith(last));
  }
  return count;
}

function numbersIn(texts: readonly string[]): number[] {
  return texts.flatMap((text) => text.split("\n"))
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "chat_message")
    .map(({ payload }) => parseInt(payload.text));
}

Deno.test(
  "a stuck member leaves a busy room, costs the others nothing, and resumes",
  needs("net"),
  async () => {
    await using running = await serveAlone({ limits: BUSY });
    const { metrics } = running.hub;
    await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann", LINES);
    await using bob = await TestClient.join(running.url, "/rooms/lobby/ws?user=bob", LINES);
    const url = `${running.url}/rooms/lobby/ws?user=stuck`;
    using stuck = await RawSocket.open(url, { "sec-websocket-protocol": "hubbub.v1.lines" });
    const joined = JSON.parse(await stuck.until("joined"));
    const count = await fill(ann, () => metrics.membersTooSlow > 0);
    await bob.first("chat_message", ({ text }) => text.startsWith(`${count - 1} `));

    // It has left at once, though its socket can never finish closing.
    await bob.first("presence", ({ user, status }) => user === "stuck" && status === "left");
    assertEquals((await running.hub.roomState("lobby")).users, ["ann", "bob"]);
    assertEquals(metrics.stuckConnections, 1);
    assertEquals(metrics.closed.get("tooSlow"), 1);
    assertEquals(
      numbersIn(bob.envelopes.map((envelope) => JSON.stringify(envelope))),
      range(count),
    );

    // Nothing more is kept for it, however much is said.
    const total = await fill(ann, () => metrics.waitingBytes > 0);
    const kept = metrics.waitingBytes;
    assert(kept <= 1.5 * 1024 * 1024, `${kept} bytes are kept`);

    // When it reads on it finds why, and can make good what it missed.
    const { code, texts } = await stuck.end();
    assertEquals(code, 4008);
    const got = numbersIn(texts);
    assertEquals(got, range(got.length));
    const cursor = texts.flatMap((text) => text.split("\n")).map((line) => JSON.parse(line))
      .findLast(({ type }) => type === "chat_message")?.payload.cursor ?? joined.payload.cursor;
    await using back = await TestClient.join(
      running.url,
      `/rooms/lobby/ws?user=stuck&after=${cursor}`,
      LINES,
    );
    assertEquals((await back.first("joined")).recovered, true);
    assertEquals(back.said.map((text) => parseInt(text)), range(total).slice(got.length));
  },
);

Deno.test(
  "a stuck connection of many rooms leaves all of them, costs the others nothing, and resumes",
  needs("net"),
  async () => {
    await using running = await serveAlone({ limits: BUSY });
    const { hub } = running;
    const rooms = range(20).map((number) => `room${number}`);
    await using ann = await TestClient.join(running.url, "/rooms/room0/ws?user=ann", LINES);
    await using bob = await TestClient.join(running.url, "/rooms/room1/ws?user=bob", LINES);
    const join = async (after?: string) => {
      const address = `${running.url}/ws?user=stuck`;
      const socket = await RawSocket.open(address, { "sec-websocket-protocol": "hubbub.v2" });
      await socket.until("welcome");
      const joins = rooms.map((room, index) => {
        return JSON.stringify({ type: "join", room, payload: index === 0 ? { after } : {} });
      });
      await socket.send(OPCODES.text, joins.join("\n"));
      return socket;
    };
    using stuck = await join();
    // All are joined once the hub says so: from here on nothing is read.
    await eventually(() => hub.roomCount === 20, "the rooms");
    await ann.first("presence", ({ user }) => user === "stuck");
    await bob.first("presence", ({ user }) => user === "stuck");
    const count = await fill(ann, () => hub.metrics.membersTooSlow > 0);

    // The busy room closed the connection, and it has left the quiet ones as well.
    for (const member of [ann, bob]) {
      await member.first("presence", ({ user, status }) => user === "stuck" && status === "left");
    }
    await eventually(() => hub.roomCount === 2, "rooms without a member to leave memory");
    assertEquals([hub.metrics.closed.get("tooSlow"), hub.metrics.stuckConnections], [1, 1]);
    await bob.store("meanwhile");
    const total = await fill(ann, () => hub.metrics.waitingBytes > 0);
    const kept = hub.metrics.waitingBytes;
    assert(kept <= 1.5 * 1024 * 1024, `${kept} bytes are kept`);

    // When it reads on it finds why, and can make good what it missed.
    const { code, texts } = await stuck.end();
    assertEquals(code, 4008);
    const lines = texts.flatMap((text) => text.split("\n")).map((line) => JSON.parse(line))
      .filter(({ room }) => room === "room0");
    const got = lines.filter(({ type }) => type === "chat_message");
    assertEquals(got.map(({ payload }) => parseInt(payload.text)), range(got.length));
    assert(count > got.length, "it was behind");
    const { cursor } = lines.findLast(({ payload }) => payload.cursor).payload;
    using back = await join(cursor);
    const missed: number[] = [];
    let recovered: boolean | undefined;
    while (recovered === undefined) {
      for (const line of (await back.until('"room":"room0"')).split("\n")) {
        const { type, room, payload } = JSON.parse(line);
        if (room !== "room0") continue;
        if (type === "chat_message") missed.push(parseInt(payload.text));
        if (type === "joined") recovered = payload.recovered;
      }
    }
    assertEquals([recovered, missed], [true, range(total).slice(got.length)]);
  },
);

Deno.test("a drain tells everybody, whoever is stuck", needs("net"), async () => {
  const running = await serveAlone({ limits: BUSY, maxConnectionsPerUser: 0 });
  await using _end = running;
  const members: TestClient[] = [];
  for (let i = 0; i < 300; i++) {
    members.push(
      await TestClient.join(running.url, `/rooms/room-${i % 10}/ws?user=user-${i}&history=0`),
    );
  }
  // Silent ones that ignore the close, and one for whom a lot waits.
  const silent = await Promise.all(["a", "b"].map((user) => {
    return RawSocket.open(`${running.url}/rooms/room-0/ws?user=${user}`);
  }));
  await using speaker = await TestClient.join(running.url, "/rooms/room-0/ws?user=speaker", LINES);
  for (let i = 0; i < 400; i++) speaker.say(`${i} `);
  await speaker.first("chat_message", ({ text }) => text.startsWith("100 "));
  using watch = new Stopwatch();
  const drained = running.server.drain();
  // What comes now is stored, or refused with an answer.
  for (let i = 0; i < 50; i++) {
    speaker.say(`late ${i}`, `late ${i}`);
  }
  await drained;
  assert(watch.ms < 4_000, `It took ${watch.ms} ms`);

  const closes = await Promise.all(members.map(({ closed }) => closed));
  // A drain waits a second for sockets to close: this process may have been kept waiting longer.
  await eventually(
    () => running.hub.metrics.connections === 2,
    () => `the silent ones alone: there are ${running.hub.metrics.connections} connections`,
  );
  assertEquals(new Set(closes.map(({ code }) => code)), new Set([4000]));
  const waits = members.map((member) => member.of("draining")[0].reconnect_after_ms);
  assert(new Set(waits).size > 200, "they come back spread out");
  assert(Math.max(...waits) <= 1_000 + 5 * 303);
  // Deno cuts whoever is still sending when it is closed.
  assert([0, 4000].includes((await speaker.closed).code));
  // Whatever was shown or acknowledged is in the log.
  const stored = new Set(
    (await running.hub.log.last("room-0", { limit: 1_000 })).map(({ id }) => id),
  );
  for (const { id } of [...speaker.of("chat_message"), ...members[0].of("chat_message")]) {
    assert(stored.has(id));
  }
  assert(running.hub.metrics.messagesStored === stored.size);
  for (const socket of silent) {
    await socket.send(OPCODES.close);
    socket[Symbol.dispose]();
  }
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
