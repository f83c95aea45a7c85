import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
import { decodeClientEnvelope, decodeRoom, decodeUser, ERRORS } from "@hubbub/hub/protocol";
import type { Message } from "@hubbub/hub/protocol";
import { addressOf } from "../../src/access/client_address.ts";
import { RoomPattern } from "../../src/access/room_pattern.ts";
import { Inbound } from "../../src/connection/inbound.ts";
import { HttpError } from "../../src/access/http_error.ts";
import { AllowedOrigins } from "../../src/access/origin.ts";

/** Text of every kind: also lone surrogates, controls and what is nearly an envelope. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 70 })
    .map((units) => String.fromCharCode(...units)),
);

/** What is nearly an envelope, and sometimes is one. */
const nearlyEnvelope = fc.record({
  type: fc.oneof(
    fc.constantFrom("chat_message", "typing_status", "authenticate", "__proto__", "toString"),
    anyText,
  ),
  payload: fc.oneof(
    fc.record({ text: fc.oneof(anyText, fc.anything()), ref: fc.oneof(anyText, fc.anything()) }, {
      requiredKeys: [],
    }),
    fc.record({ status: fc.oneof(fc.boolean(), fc.anything()) }),
    fc.record({ token: fc.oneof(anyText, fc.anything()) }),
    fc.anything(),
  ),
}, { requiredKeys: [] });

const anyFrame = fc.oneof(
  anyText,
  fc.json(),
  nearlyEnvelope.map((value) => toJson(value)),
  fc.tuple(nearlyEnvelope, fc.nat(), fc.nat()).map(([value, from, count]) => {
    const text = toJson(value);
    return text.slice(0, from % text.length) + text.slice(from % text.length + count % 5);
  }),
);

const quiet = () => {};

function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) => typeof part === "bigint" ? String(part) : part) ??
    "null";
}

Deno.test("decodeClientEnvelope() never throws, and takes only what the protocol knows", () => {
  fc.assert(
    fc.property(anyFrame, fc.integer({ min: 1, max: 300 }), (text, textMaxBytes) => {
      const decoded = decodeClientEnvelope(text, { textMaxBytes });
      if (!decoded.ok) return assert(decoded.error.code in ERRORS);
      const { envelope } = decoded;
      assertEquals(decodeClientEnvelope(JSON.stringify(envelope), { textMaxBytes }), decoded);
      if (envelope.type !== "chat_message") return;
      const said = envelope.payload.text;
      assert(said.isWellFormed() && said.trim() !== "");
      assert(new TextEncoder().encode(said).length <= textMaxBytes);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("decodeUser() and decodeRoom() never throw, and have one form for each name", () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const user = decodeUser(name);
      if (user.ok) assertEquals(decodeUser(user.user), user);
      const room = decodeRoom(name);
      if (room.ok) assertEquals([room.room, encodeURIComponent(room.room)], [name, name]);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("RoomPattern.matches() agrees with a regular expression", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (pattern, name) => {
      const expression = pattern.replaceAll(".", "\\.").replaceAll("*", ".*");
      assertEquals(
        new RoomPattern(pattern).matches(name),
        new RegExp(`^${expression}$`).test(name),
      );
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("AllowedOrigins and addressOf() never throw, and believe nothing made up", () => {
  const origins = new AllowedOrigins(["https://app.example"]);
  const value = fc.string({ unit: "grapheme-ascii" }).filter((text) => text.trim() === text);
  fc.assert(
    fc.property(value, value, (origin, host) => {
      const headers = { origin, "x-forwarded-for": origin };
      const url = [`http://${host}/`].find((url) => URL.canParse(url) && !new URL(url).username);
      const request = new Request(url ?? "http://localhost/", { headers });
      const isOwn = ["http", "https"].some((scheme) => {
        return origin !== "" &&
          new URL(`${scheme}://${new URL(request.url).host}`).origin === origin;
      });
      try {
        origins.check(request);
        assert(isOwn || request.headers.get("origin") === null, origin);
      } catch (error) {
        assert(error instanceof HttpError, String(error));
      }
      const info = { remoteAddr: { transport: "tcp", hostname: "192.0.2.1" } };
      const address = addressOf(request, info, 1);
      assert(address !== undefined && /^[\da-f.:]+(\/64)?$/.test(address), address);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("tokenAuthorizer() never throws, and lets nobody in without a signature", async () => {
  const authorize = tokenAuthorizer({ secret: "0123456789abcdef0123456789abcdef" });
  const part = fc.oneof(
    fc.base64String().map((text) => text.replace(/=/g, "")),
    fc.json().map(btoa8),
  );
  const token = fc.oneof(
    fc.tuple(part, part, part).map((parts) => parts.join(".")),
    fc.tuple(fc.constant(btoa('{"alg":"none"}')), part).map((parts) => parts.join(".") + "."),
    fc.tuple(fc.constant(btoa('{"alg":"HS256"}')), part, part).map((parts) => parts.join(".")),
    fc.string({ unit: "grapheme-ascii" }),
  );
  await fc.assert(
    fc.asyncProperty(token, async (token) => {
      const request = new Request(`http://localhost/?token=${encodeURIComponent(token)}`);
      assert("denied" in await authorize(request));
    }),
    { numRuns: 1_000 },
  );
});

function btoa8(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("a hub stores what it accepted, and nothing that it refused", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), {
    alone: true,
    logger: quiet,
    limits: { messages_per_second: 0 },
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 30 }), async (frames) => {
      const room = `room-${run++}`;
      const subscription = hub.join(room, { user: "ann", send: () => {}, close: () => {} });
      await subscription.joined;
      const inbound = new Inbound({ limits: hub.limits, isLines: true });
      const accepted: string[] = [];
      const outlet = {
        isOver: false,
        accept(envelope: Parameters<Parameters<typeof inbound.take>[1]["accept"]>[0]) {
          if (envelope.type !== "chat_message") return;
          const { text, ref } = envelope.payload;
          subscription.publish(envelope.payload);
          // A repeat is stored once.
          if (ref === undefined || !refs.has(ref)) accepted.push(text);
          if (ref !== undefined) refs.add(ref);
        },
        refuse() {},
        end() {
          outlet.isOver = true;
        },
      };
      const refs = new Set<string>();
      for (const frame of frames) if (!outlet.isOver) inbound.take(frame, outlet);
      // Whatever is on its way is stored when this is.
      await hub.publish(room, "ann", { text: "end" });
      subscription.leave();
      const stored = await hub.log.last(room, { limit: 1_000 });
      const texts = stored.map(({ envelope }) => JSON.parse(envelope).payload.text);
      assertEquals(texts, [...accepted, "end"]);
    }),
    { numRuns: 200 },
  );
  await hub.drain();
});

Deno.test("createServer() answers any request with JSON and no fault of its own", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger: quiet });
  const server = createServer(hub, { logger: quiet });
  const segment = fc.oneof(
    fc.constantFrom("rooms", "lobby", "messages", "ws", "health", "..", "%00", "%ff", "a%2fb"),
    fc.string({ unit: "grapheme" }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const query = fc.dictionary(
    fc.constantFrom("user", "after", "before", "limit", "history", "token", "x"),
    fc.oneof(fc.constantFrom("0", "1", "-1", "1e3", "0".repeat(20), "z".repeat(20)), anyText),
  );
  const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS");
  const parts = fc.tuple(fc.array(segment, { maxLength: 4 }), query, method, anyFrame);
  await fc.assert(
    fc.asyncProperty(parts, async ([path, query, method, body]) => {
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]) => [name, value.toWellFormed()]),
      );
      const url = `http://localhost/${path.join("/")}?${search}`;
      const hasBody = method !== "GET" && method !== "HEAD";
      const request = new Request(url, { method, body: hasBody ? body : undefined });
      const response = await server.fetch(request);
      assert(response.status < 500, `${method} ${url} gave ${response.status}`);
      const text = await response.text();
      assertEquals(response.headers.get("x-content-type-options"), "nosniff");
      if (response.status < 400 || method === "HEAD") return;
      const { error } = JSON.parse(text);
      assert(error.code in ERRORS);
      assertEquals(ERRORS[error.code as keyof typeof ERRORS].status, response.status);
      assert(!/\bat .*\.(ts|js)\b/.test(text), "no stack");
    }),
    { numRuns: 1_000 },
  );
  await server.drain();
});

Deno.test("GET /rooms/{room}/messages gives pages of one list, whatever the cursor", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger: quiet });
  const server = createServer(hub, { logger: quiet });
  const all: Message[] = [];
  const page = async (query: string): Promise<Message[]> => {
    const request = new Request(`http://localhost/rooms/lobby/messages?${query}`);
    const response = await server.fetch(request);
    assertEquals(response.status, 200);
    return (await response.json()).messages;
  };
  for (let i = 0; i < 40; i += 4) {
    await Promise.all([0, 1, 2, 3].map((j) => hub.publish("lobby", "ann", { text: `${i + j}` })));
  }
  all.push(...await page("limit=100"));
  assertEquals(all.length, 40);
  const any = fc.string({
    unit: fc.constantFrom(..."0123456789ABCXYZabcxyz"),
    minLength: 20,
    maxLength: 20,
  });
  const cursor = fc.oneof(fc.constantFrom(...all.map((message) => message.cursor)), any);
  const limit = fc.integer({ min: 1, max: 100 });
  await fc.assert(
    fc.asyncProperty(cursor, limit, async (cursor, limit) => {
      const after = all.filter((message) => message.cursor > cursor).slice(0, limit);
      assertEquals(await page(`after=${cursor}&limit=${limit}`), after);
      const before = all.filter((message) => message.cursor < cursor).slice(-limit);
      assertEquals(await page(`before=${cursor}&limit=${limit}`), before);
    }),
    { numRuns: 300 },
  );
  await server.drain();
});
