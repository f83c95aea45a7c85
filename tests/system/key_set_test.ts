import { assertEquals, assertRejects } from "@std/assert";
import type { JWK } from "jose";
import { type Authorization, tokenAuthorizer } from "@hubbub/hub";
import { needs } from "../helpers/permissions.ts";
import { TestClient } from "../helpers/test_client.ts";
import { linesOf } from "../helpers/test_hub.ts";
import { forge, signWithKey, signWithSecret } from "../helpers/tokens.ts";
import { serveAlone } from "../helpers/test_server.ts";

const URL_OF_KEYS = "https://user:password@issuer.example/keys";

interface Issuer {
  readonly kid: string;
  readonly publicKey: JsonWebKey;
  token(claims?: Record<string, unknown>): Promise<string>;
}

async function createIssuer(kid: string): Promise<Issuer> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const privateKey = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const publicKey = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return {
    kid,
    publicKey,
    token: (claims) =>
      signWithKey({ sub: "ann", ...claims }, privateKey as JWK, { alg: "ES256", kid }),
  };
}

/** An issuer's address, and what happened there. */
class Publisher {
  fetches = 0;
  now = 0;
  answer: () => Response | Promise<Response>;

  constructor(...issuers: Issuer[]) {
    this.answer = () => this.publish(...issuers);
  }

  publish(...issuers: Issuer[]): Response {
    const keys = issuers.map(({ kid, publicKey }) => ({ ...publicKey, kid, use: "sig" }));
    return Response.json({ keys });
  }

  /** Lets somebody in by a token: the user, or why not. */
  readonly enter = async (token: string): Promise<string> => {
    const request = new Request("http://localhost/", {
      headers: { authorization: `Bearer ${token}` },
    });
    const judged = await this.#authorize(request);
    return "denied" in judged ? "denied" : (judged satisfies Authorization).user;
  };

  readonly #authorize = tokenAuthorizer({
    jwksUrl: URL_OF_KEYS,
    keys: {
      now: () => this.now,
      fetch: async () => {
        this.fetches++;
        return await this.answer();
      },
    },
  });
}

Deno.test("tokenAuthorizer() fetches the keys once for many tokens", async () => {
  const issuer = await createIssuer("a");
  const publisher = new Publisher(issuer);
  const token = await issuer.token();
  assertEquals(await Promise.all([publisher.enter(token), publisher.enter(token)]), ["ann", "ann"]);
  publisher.now += 9 * 60_000;
  assertEquals(await publisher.enter(token), "ann");
  assertEquals(publisher.fetches, 1);
});

Deno.test("tokenAuthorizer() learns of new keys at once, and of withdrawn ones in time", async () => {
  const [old, young] = [await createIssuer("a"), await createIssuer("b")];
  const publisher = new Publisher(old);
  assertEquals(await publisher.enter(await old.token()), "ann");
  publisher.answer = () => publisher.publish(young);
  publisher.now += 11_000;
  assertEquals(await publisher.enter(await young.token()), "ann");
  assertEquals(await publisher.enter(await old.token()), "denied");
});

Deno.test("tokenAuthorizer() has not judged a new key while the issuer is away", async () => {
  const [old, young] = [await createIssuer("a"), await createIssuer("b")];
  const publisher = new Publisher(old);
  assertEquals(await publisher.enter(await old.token()), "ann");
  publisher.answer = () => new Response("", { status: 502 });
  publisher.now += 11_000;
  const token = await young.token();
  for (let i = 0; i < 5; i++) {
    await assertRejects(() => publisher.enter(token), Error, "cannot be had: status 502");
    // The others go on, and nobody makes it fetch more often than once a second.
    assertEquals(await publisher.enter(await old.token()), "ann");
  }
  assertEquals(publisher.fetches, 2);
  publisher.answer = () => publisher.publish(old, young);
  publisher.now += 1_000;
  assertEquals(await publisher.enter(token), "ann");
});

Deno.test("tokenAuthorizer() does not let made-up key names make it fetch", async () => {
  const issuer = await createIssuer("a");
  const publisher = new Publisher(issuer);
  for (let i = 0; i < 20; i++) {
    const stranger = await createIssuer(`made up ${i}`);
    assertEquals(await publisher.enter(await stranger.token()), "denied");
  }
  assertEquals(publisher.fetches, 1);
});

Deno.test("tokenAuthorizer() believes only the issuer's keys and algorithms", async () => {
  const issuer = await createIssuer("a");
  const publisher = new Publisher(issuer);
  const thief = await createIssuer("a");
  assertEquals(await publisher.enter(await thief.token()), "denied");
  // What is public would be the secret.
  const secret = JSON.stringify(issuer.publicKey);
  assertEquals(await publisher.enter(await signWithSecret({ sub: "ann" }, secret)), "denied");
  const header = { alg: "HS256", kid: "a" };
  const bytes = new TextEncoder().encode(secret);
  assertEquals(await publisher.enter(await forge(header, { sub: "ann" }, bytes)), "denied");
  assertEquals(
    await publisher.enter(await forge({ alg: "none", kid: "a" }, { sub: "ann" })),
    "denied",
  );
  assertEquals(await publisher.enter(await issuer.token({ exp: 1 })), "denied");
  assertEquals(await publisher.enter("abc"), "denied");
});

Deno.test("tokenAuthorizer() goes on with the old keys while the issuer is away", async () => {
  const issuer = await createIssuer("a");
  const publisher = new Publisher(issuer);
  const token = await issuer.token();
  assertEquals(await publisher.enter(token), "ann");
  publisher.answer = () => new Response("", { status: 500 });
  for (let minutes = 0; minutes < 23 * 60; minutes += 20) {
    publisher.now += 20 * 60_000;
    assertEquals(await publisher.enter(token), "ann");
  }
  publisher.now += 2 * 60 * 60_000;
  await assertRejects(() => publisher.enter(token), Error, "status 500");
});

Deno.test("tokenAuthorizer() says clearly why it has no keys", async (t) => {
  const issuer = await createIssuer("a");
  const token = await issuer.token();
  const failures: Record<string, [() => Response | Promise<Response>, string]> = {
    "an error": [() => new Response("", { status: 404 }), "status 404"],
    "no JSON": [() => new Response("<html>"), "not JSON"],
    "no keys": [() => Response.json({}), 'no list "keys"'],
    "null": [() => Response.json(null), 'no list "keys"'],
    "an answer without end": [() => new Response("x".repeat(2 * 1024 * 1024)), "too long"],
    "no connection": [
      () => Promise.reject(new TypeError(`cannot reach ${URL_OF_KEYS}`)),
      "no answer",
    ],
  };
  for (const [name, [answer, message]] of Object.entries(failures)) {
    await t.step(name, async () => {
      const publisher = new Publisher(issuer);
      publisher.answer = answer;
      const error = await assertRejects(() => publisher.enter(token), Error, message);
      assertEquals(error.message.includes("password"), false);
      // And it recovers.
      publisher.answer = () => publisher.publish(issuer);
      publisher.now += 1_000;
      assertEquals(await publisher.enter(token), "ann");
    });
  }
});

Deno.test("createServer() lets in by the keys of an issuer", needs("net"), async () => {
  const issuer = await createIssuer("a");
  const publisher = new Publisher(issuer);
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using published = Deno.serve(listen, () => publisher.publish(issuer));
  const jwksUrl = `http://127.0.0.1:${published.addr.port}/`;
  await using running = await serveAlone({ authorize: tokenAuthorizer({ jwksUrl }) });
  const token = await issuer.token();
  await using guest = await TestClient.join(running.url, `/rooms/lobby/ws?token=${token}`);
  assertEquals((await guest.first("joined")).user, "ann");
  await published.shutdown();
  // The keys are kept.
  await using _again = await TestClient.join(running.url, "/rooms/lobby/ws", [
    "hubbub.v1",
    `hubbub.token.${token}`,
  ]);
});

Deno.test("createServer() says so when the issuer is away", needs("net"), async () => {
  // Nobody listens there any more.
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const gone = Deno.serve(listen, () => new Response());
  await gone.shutdown();
  const jwksUrl = `http://127.0.0.1:${gone.addr.port}/`;
  await using running = await serveAlone({ authorize: tokenAuthorizer({ jwksUrl }) });
  const token = await (await createIssuer("a")).token();
  const response = await fetch(`${running.url}/rooms/lobby?token=${token}`);
  assertEquals(response.status, 503);
  assertEquals((await response.json()).error.code, "unavailable");
  const line = linesOf(running.events).find((line) => line.includes("authorize_failed")) ?? "";
  assertEquals(line.includes("cannot be had: no answer"), true);
});
