import { assert, assertEquals, assertLess } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const LINES = ["hubbub.v1.lines"];
/** No limit on messages: a busy room. */
const BUSY = { messages_per_second: 0, message_burst: 0, typing_timeout_ms: 600_000 };

/** What somebody has been told of the others. */
class Picture {
  readonly typing = new Set<string>();
  readonly users = new Set<string>();
  readonly texts: string[] = [];

  take(type: string, payload: Record<string, unknown>): void {
    const { user, status } = payload as { user: string; status: boolean | string };
    if (type === "joined") { for (const each of payload.users as string[]) this.users.add(each); }
    if (type === "chat_message") this.texts.push(payload.text as string);
    if (type === "typing_status") status ? this.typing.add(user) : this.typing.delete(user);
    if (type === "presence") {
      status === "joined" ? this.users.add(user) : this.users.delete(user);
    }
  }
}

/** Lets a lot happen while somebody does not read, until the hub holds typing and presence back. */
async function happen(running: TestServer, allRead: Promise<void>): Promise<void> {
  const { metrics } = running.hub;
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann", LINES);
  await using bob = await TestClient.join(running.url, "/rooms/lobby/ws?user=bob", LINES);
  // Not over a socket, whose typing has a limit.
  const cleo = running.hub.join("lobby", { user: "cleo", send() {}, close() {} });
  bob.type(true);
  await ann.first("typing_status", ({ user, status }) => user === "bob" && status);
  const text = "x".repeat(30_000);
  let toggles = 0;
  for (let said = 0; metrics.framesConflated === 0;) {
    assertLess(said, 1_000, "nothing is ever held back");
    // At once: the room waits for who does not read before the next commit.
    const texts = Array.from({ length: 5 }, () => `${said++} ${text}`);
    await Promise.all(texts.map((text) => running.hub.publish("lobby", "dan", { text })));
    // More than 20 a second would be gathered.
    await new Promise((resolve) => setTimeout(resolve, 50));
    cleo.typing(toggles++ % 2 === 0);
    const count = toggles;
    await ann.until((client) =>
      client.of("typing_status").filter(({ user }) => user === "cleo").length >= count
    );
  }
  bob.type(false);
  await ann.first("typing_status", ({ user, status }) => user === "bob" && !status);
  cleo.leave();
  await ann.first("presence", ({ user, status }) => user === "cleo" && status === "left");
  await using _eve = await TestClient.join(running.url, "/rooms/lobby/ws?user=eve", LINES);
  await ann.first("presence", ({ user }) => user === "eve");
  await running.hub.publish("lobby", "dan", { text: "the end" });
  await ann.first("chat_message", (message) => message.text === "the end");
  assertEquals(metrics.membersTooSlow, 0);
  // Here until the one that is behind has read it all.
  await allRead;
}

for (const protocol of ["hubbub.v1", "hubbub.v1.lines"]) {
  Deno.test(
    `a member on ${protocol} that was behind ends with the true picture`,
    needs("net"),
    async () => {
      const allRead = Promise.withResolvers<void>();
      await using running = await serveAlone({ limits: BUSY });
      const url = `${running.url}/rooms/lobby/ws?user=slow`;
      using slow = await RawSocket.open(url, { "sec-websocket-protocol": protocol });
      const picture = new Picture();
      const take = (text: string) => {
        for (const line of text.split("\n")) {
          const { type, payload } = JSON.parse(line);
          picture.take(type, payload);
        }
      };
      take(await slow.until("joined"));
      const happened = happen(running, allRead.promise);
      while (running.hub.metrics.framesConflated < 3) {
        await Promise.race([happened, new Promise((resolve) => setTimeout(resolve, 10))]);
      }
      for (;;) {
        take(await slow.until(""));
        const { typing, users, texts } = picture;
        const isWhole = texts.at(-1) === "the end" && typing.size === 0 && !users.has("cleo");
        if (isWhole && users.has("eve")) break;
      }
      assertEquals([...picture.users].sort(), ["ann", "bob", "eve", "slow"]);
      assertEquals(
        picture.texts.slice(0, -1).map((text) => parseInt(text)),
        Array.from({ length: picture.texts.length - 1 }, (_, i) => i),
      );
      allRead.resolve();
      await happened;
    },
  );
}

Deno.test(
  "a reader of events that was behind ends with the true picture",
  needs("net"),
  async () => {
    const allRead = Promise.withResolvers<void>();
    await using running = await serveAlone({ limits: BUSY });
    using slow = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
    const request = "GET /rooms/lobby/events HTTP/1.1\r\nhost: test\r\n\r\n";
    await slow.write(new TextEncoder().encode(request));
    while (running.hub.roomCount === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const happened = happen(running, allRead.promise);
    while (running.hub.metrics.framesConflated < 3) {
      await Promise.race([happened, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
    const picture = new Picture();
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    let text = "";
    const isWhole = () =>
      picture.texts.at(-1) === "the end" && picture.typing.size === 0 &&
      !picture.users.has("cleo") && picture.users.has("eve");
    while (!isWhole()) {
      const count = await slow.read(buffer);
      assert(count !== null, "the stream ended");
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      // Without the sizes of the chunks, which stand on lines of their own between events.
      const lines = text.split("\n");
      text = lines.pop()!;
      let event = "";
      for (const line of lines) {
        if (line.startsWith("event:")) event = line.slice(6);
        if (line.startsWith("data:")) picture.take(event, JSON.parse(line.slice(5)));
      }
      if (event !== "" && !lines.at(-1)?.startsWith("data:")) text = `event:${event}\n${text}`;
    }
    assertEquals([...picture.users].sort(), ["ann", "bob", "eve"]);
    allRead.resolve();
    await happened;
  },
);
