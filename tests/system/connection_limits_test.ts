import { assert, assertEquals } from "@std/assert";
import { encodeEnvelope } from "@hubbub/hub/protocol";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";
import { TestMember } from "../helpers/test_member.ts";
import { serve } from "../helpers/test_server.ts";

const net = needs("net");
const JOIN = "/rooms/lobby/ws?user=";

Deno.test("A frame that is far too long closes the connection with 1009", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  ann.socket.send("x".repeat(64 * 1024 + 1));
  assertEquals((await ann.closed).code, 1009);
  assertEquals((await server.hub.roomState("lobby")).users, []);
});

Deno.test("A client that says too much is told when to go on", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const limits = { messages_per_second: 1, message_burst: 3 };
  await using server = serve(kv, { limits });
  await using ann = await TestClient.join(server.url, JOIN + "ann", ["hubbub.v1.lines"]);
  // In one frame: however busy the machine is, no second passes between them.
  const envelopes = numbers(5).map((ref) =>
    encodeEnvelope({ type: "chat_message", payload: { text: ref, ref } })
  );
  ann.socket.send(envelopes.join("\n"));
  await ann.until((client) => client.of("error").length === 2);
  const [problem] = ann.of("error");
  assertEquals([problem.code, problem.ref], ["rate_limited", "3"]);
  assert(
    problem.retry_after_ms! > 0 && problem.retry_after_ms! <= 1_000,
    `${problem.retry_after_ms}`,
  );
  await new Promise((resolve) => setTimeout(resolve, problem.retry_after_ms! + 5));
  ann.say("3", "3");
  await ann.until(({ said }) => said.includes("3"));
  assertEquals(ann.said, ["0", "1", "2", "3"]);
  assertEquals(ann.joined?.limits.message_burst, 3);
});

Deno.test("Typing has a limit of its own", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  for (let sign = 0; sign < 60; sign++) ann.type(true);
  ann.say("hi");
  await ann.until(({ said }) => said.length === 1);
  const codes = ann.of("error").map(({ code }) => code);
  assert(codes.length >= 10 && codes.length <= 20, `${codes.length} refused`);
  assertEquals(new Set(codes), new Set(["rate_limited"]));
});

Deno.test("Without a limit a client may say as much as it likes", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv, { limits: { messages_per_second: 0, message_burst: 0 } });
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  for (const text of numbers(500)) ann.say(text);
  await ann.until(({ said }) => said.length === 500);
  assertEquals(ann.said, numbers(500));
});

Deno.test("A member that does not read is closed, and the others miss nothing", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const limits = { messages_per_second: 0, text_max_bytes: 60_000 };
  await using server = serve(kv, { limits });
  await using bob = await TestClient.join(server.url, JOIN + "bob&history=0");
  const typist = server.hub.join("lobby", new TestMember("typist"));
  {
    using _stuck = await RawSocket.open(server.url + JOIN + "stuck&history=0");
    const filler = "x".repeat(50_000);
    let count = 0;
    while (server.hub.metrics.membersTooSlow === 0 && count < 600) {
      bob.say(`${count++} ${filler}`);
      typist.typing(count % 2 === 0);
      if (count % 4 === 0) await bob.until(({ said }) => said.length === count);
    }
    assert(count < 600, "never too slow");
    await bob.until((client) => client.of("presence").some(({ status }) => status === "left"));
    bob.say("without it");
    await bob.until(({ said }) => said.includes("without it"));
    assertEquals(bob.said.length, count + 1);
    assertEquals(bob.said.slice(0, -1).map((text) => Number(text.split(" ")[0])), [
      ...Array(count).keys(),
    ]);
    assertEquals((await server.hub.roomState("lobby")).users, ["bob", "typist"]);
    assertEquals(server.hub.metrics.membersTooSlow, 1);
  }
});

Deno.test("A server that is full says so, and lets in when someone went", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv, { maxConnections: 2 });
  await using _ann = await TestClient.join(server.url, JOIN + "ann");
  {
    await using _bob = await TestClient.join(server.url, JOIN + "bob");
    using cid = await RawSocket.open(server.url + JOIN + "cid");
    assertEquals(cid.status, 503);
    assert(Number(cid.headers.get("retry-after")) > 0);
  }
  await using cid = await TestClient.join(server.url, JOIN + "cid");
  assert(cid.joined);
});
