import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Fanout, Hub, KvRoomLog } from "@hubbub/hub";
import { NatsFanout } from "@hubbub/hub/nats";
import { natsServers } from "../../src/cluster/nats/nats_servers.ts";
import { End, heartbeat, testFanout } from "../helpers/fanout_contract.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

const real = needs("net", "run", "read", "write");
const needed = { ...real, ignore: real.ignore || !await hasNats() };

testFanout("NatsFanout", async () => {
  const server = await NatsServer.start();
  return {
    connect: () => new NatsFanout({ servers: server.url }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, needed);

/** Resolves when what one end publishes arrives at another again. */
async function untilHeard(from: End, to: End): Promise<void> {
  const before = to.got.length;
  await eventually(() => {
    from.publish(1);
    return to.got.length > before;
  }, "a message to arrive");
}

function untilConnected(fanout: Fanout, isConnected: boolean): Promise<unknown> {
  return eventually(() => fanout.isConnected === isConnected, () => {
    return isConnected ? "the connection" : "the loss of the connection";
  });
}

Deno.test("NatsFanout keeps two databases on one server apart", needed, async () => {
  await using server = await NatsServer.start();
  const open = (databaseId: string) => {
    return End.open(new NatsFanout({ servers: server.url }), { databaseId, joins: ["lobby"] });
  };
  const ends = await Promise.all(["one", "one", "two", "two"].map(open));
  const [a, b, c, d] = ends;
  for (let round = 0; round < 20; round++) {
    a.publish(1);
    a.fanout.publish({ of: "one" }, "lobby");
    c.publish(2);
    c.fanout.publish({ of: "two" }, "lobby");
  }
  await Promise.all([b.until(40), d.until(40)]);
  assertEquals(new Set(b.got.map((message) => JSON.stringify(message))).size, 2);
  assert(b.got.every((message) => JSON.stringify(message).match(/"revision":1|one/)));
  assert(d.got.every((message) => JSON.stringify(message).match(/"revision":2|two/)));
  assertEquals([a.got, c.got], [[], []]);
  await Promise.all(ends.map(({ fanout }) => fanout.close()));
});

Deno.test(
  "NatsFanout connects again when its server was killed and comes back",
  needed,
  async () => {
    await using server = await NatsServer.start();
    const ends = await Promise.all([0, 1].map(() => {
      return End.open(new NatsFanout({ servers: server.url }), { joins: ["lobby"] });
    }));
    const [a, b] = ends;
    for (let round = 0; round < 2; round++) {
      await untilHeard(a, b);
      await server.stop("SIGKILL");
      for (const { fanout } of ends) await untilConnected(fanout, false);
      const { dropped = 0 } = a.fanout;
      // What is asked for meanwhile counts, and what is published is lost.
      a.fanout.join?.(`room ${round}`);
      b.fanout.leave?.("lobby");
      a.publish(9);
      assertEquals(a.fanout.dropped, dropped + 1);
      await server.start();
      for (const { fanout } of ends) await untilConnected(fanout, true);
      await untilHeard(b, a);
      const count = a.got.length;
      b.fanout.publish(heartbeat(7), `room ${round}`);
      await eventually(() =>
        a.got.slice(count).some((message) => {
          return JSON.stringify(message) === JSON.stringify(heartbeat(7));
        }), "the message of the room");
      b.fanout.join?.("lobby");
    }
    await Promise.all(ends.map(({ fanout }) => fanout.close()));
  },
);

Deno.test(
  "NatsFanout waits for a server that starts later, and can be closed before",
  needed,
  async () => {
    await using server = await NatsServer.start();
    await server.stop();
    const ends = [0, 1].map(() => new NatsFanout({ servers: server.url }));
    const given = new NatsFanout({ servers: server.url });
    const hub = { databaseId: () => Promise.resolve("late") };
    let heard = 0;
    const connecting = ends.map((fanout) => fanout.subscribe(() => void heard++, hub));
    const never = given.subscribe(() => {}, hub);
    await given.close();
    await never;
    assertEquals(ends.map(({ isConnected }) => isConnected), [false, false]);
    await server.start();
    await Promise.all(connecting);
    ends[0].publish(heartbeat(1));
    await eventually(() => heard === 1, "the message");
    await Promise.all(ends.map((fanout) => fanout.close()));
  },
);

Deno.test(
  "NatsFanout gives a server up that is frozen, and takes no more than it may",
  needed,
  async () => {
    await using server = await NatsServer.start();
    const [a, b] = await Promise.all([0, 1].map(() => {
      return End.open(new NatsFanout({ servers: server.url }));
    }));
    await untilHeard(a, b);
    server.signal("SIGSTOP");
    const long = { text: "x".repeat(200_000) };
    for (let i = 0; i < 100; i++) a.fanout.publish(long);
    assert((a.fanout.dropped ?? 0) > 50, `${a.fanout.dropped} dropped`);
    for (const { fanout } of [a, b]) await untilConnected(fanout, false);
    server.signal("SIGCONT");
    for (const { fanout } of [a, b]) await untilConnected(fanout, true);
    await untilHeard(a, b);
    await Promise.all([a, b].map(({ fanout }) => fanout.close()));
  },
);

Deno.test(
  "NatsFanout cuts to what its server takes, and passes over what is not its own",
  needed,
  async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/nats.conf`, "max_payload: 4096\n");
    await using server = await NatsServer.start(`-c ${folder}/nats.conf`);
    using kv = await Deno.openKv(":memory:");
    const hubs = [0, 1].map(() => {
      return createTestHub(kv, {
        fanout: new NatsFanout({ servers: server.url }),
        heartbeatMs: 100,
      });
    });
    const [a, b] = hubs;
    await eventually(() => a.hub.peerCount + b.hub.peerCount === 2, "the hubs to hear each other");
    const users = Array.from({ length: 400 }, (_, index) => `user ${1000 + index}`);
    await Promise.all(users.map((user) => a.hub.join("lobby", new TestMember(user)).joined));
    const bob = new TestMember("bob");
    await b.hub.join("lobby", bob).joined;
    const state = async () => (await b.hub.roomState("lobby")).users;
    await eventually(async () => (await state()).length === 401, "all users");
    assertEquals(await state(), ["bob", ...users]);
    // Longer than a message of the server: read from the log.
    await a.hub.publish("lobby", "ann", { text: "long ".repeat(1_500) });
    await bob.until(({ messages }) => messages.length === 1);
    assertEquals([a, b].map(({ hub }) => hub.metrics.hookFailures), [0, 0]);
    await Promise.all(hubs.map(({ hub }) => hub.drain()));
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test(
  "a hub over NATS says whether it is connected, and messages cross without it",
  needed,
  async () => {
    await using server = await NatsServer.start();
    using kv = await Deno.openKv(":memory:");
    const fast = { heartbeatMs: 50, expiryMs: 1_000 };
    const hubs = [0, 1].map(() => {
      return createTestHub(kv, { fanout: new NatsFanout({ servers: server.url }), ...fast });
    });
    const [a, b] = hubs;
    const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
    const subscription = a.hub.join("lobby", ann);
    await Promise.all([subscription.joined, b.hub.join("lobby", bob).joined]);
    await eventually(() => a.hub.isFanoutConnected && a.hub.peerCount === 1, "the other hub");
    await eventually(async () => (await b.hub.roomState("lobby")).users.length === 2, "both users");
    await server.stop("SIGKILL");
    await eventually(() => a.hub.isFanoutConnected === false, "the loss");
    subscription.publish({ text: "without" });
    await bob.until(({ said }) => said.includes("without"));
    await eventually(() => a.hub.peerCount === 0, "the other to be taken for gone");
    await bob.until(() => bob.of("presence").some(({ status }) => status === "left"));
    await eventually(() => a.hub.metrics.fanoutsConnected === 0, "the metric");
    assert(a.hub.metrics.fanoutDropped > 0);
    await server.start();
    await eventually(async () => (await b.hub.roomState("lobby")).users.length === 2, "both again");
    assertEquals(bob.of("presence").map(({ user, status }) => `${user} ${status}`).slice(-2), [
      "ann left",
      "ann joined",
    ]);
    await Promise.all(hubs.map(({ hub }) => hub.drain()));
  },
);

Deno.test("natsServers() reads addresses, and shows no password", () => {
  const plain = { port: 4222, tls: false, credentials: {} };
  assertEquals(natsServers("nats://a.example"), [{ hostname: "a.example", ...plain }]);
  const credentials = { user: "ann", pass: "p@ss" };
  assertEquals(natsServers("a.example:1, tls://ann:p%40ss@b.example:2"), [
    { hostname: "a.example", port: 1, tls: false, credentials },
    { hostname: "b.example", port: 2, tls: true, credentials },
  ]);
  const [token] = natsServers("nats://s3cret@[::1]:5");
  assertEquals(token, {
    hostname: "::1",
    port: 5,
    tls: false,
    credentials: { token: "s3cret" },
  });
  for (const wrong of ["", " , ", "http://a", "nats://"]) {
    assertThrows(() => natsServers(wrong), TypeError, "Cannot use");
  }
  const error = assertThrows(() => natsServers("http://me:s3cret@a.example"), TypeError);
  assert(!error.message.includes("s3cret"), error.message);
  assertThrows(() => new NatsFanout({ servers: "x://" }), TypeError);
});

Deno.test("a hub over a NATS that is not there works, and drains", needs("net"), async () => {
  using kv = await Deno.openKv(":memory:");
  await using hub = new Hub(new KvRoomLog(kv), {
    fanout: new NatsFanout({ servers: "127.0.0.1:1" }),
    logger() {},
  });
  const member = new TestMember("ann");
  await hub.join("lobby", member).joined;
  await hub.publish("lobby", "bob", { text: "hello" });
  await member.until(({ said }) => said.includes("hello"));
  assertEquals(hub.isFanoutConnected, false);
});

Deno.test(
  "NatsFanout connects with a password or a token, and says once why it may not",
  needed,
  async () => {
    const hub = (errors: unknown[]) => ({
      databaseId: () => Promise.resolve("locked"),
      failed: (error: unknown) => void errors.push(error),
    });
    for (
      const [args, login] of [["--user ann --pass p@ss", "ann:p%40ss"], ["--auth s3cret", "s3cret"]]
    ) {
      await using server = await NatsServer.start(args);
      const at = (login: string) =>
        new NatsFanout({ servers: server.url.replace("//", `//${login}`) });
      const errors: unknown[] = [];
      const right = at(`${login}@`);
      await right.subscribe(() => {}, hub(errors));
      assertEquals([right.isConnected, errors], [true, []]);
      for (const wrong of [at("ann:wrong@"), at("wrong@"), at("")]) {
        const refused: unknown[] = [];
        const connecting = wrong.subscribe(() => {}, hub(refused));
        await eventually(() => refused.length > 0, "the refusal");
        assert(/Authorization Violation/.test(String(refused[0])), String(refused[0]));
        assertEquals(wrong.isConnected, false);
        await wrong.close();
        await connecting;
        assertEquals(refused.length, 1);
      }
      await right.close();
    }
  },
);
