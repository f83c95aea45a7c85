import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair, type JWK } from "jose";
import { tokenAuthorizer, tokenOf, type TokenOptions } from "@hubbub/hub";
import { bearerOf } from "../../src/access/request_token.ts";
import { forge, signWithKey, signWithSecret } from "../helpers/tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** What an authorizer says about tokens: the user, or why not. */
function judging(options: TokenOptions): (token: string) => Promise<string> {
  const authorize = tokenAuthorizer(options);
  return async (token) => {
    const headers = { authorization: bearerOf(token) };
    const judged = await authorize(new Request("http://localhost/", { headers }));
    return "denied" in judged ? judged.denied : judged.user;
  };
}

interface Pair {
  readonly publicKey: JWK;
  readonly privateKey: JWK;
}

async function pairOf(alg: string, kid?: string): Promise<Pair> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const named = kid === undefined ? {} : { kid };
  return {
    publicKey: { ...await exportJWK(pair.publicKey), ...named },
    privateKey: await exportJWK(pair.privateKey),
  };
}

function judgingBy(
  keys: readonly unknown[],
  claims: Pick<TokenOptions, "audience" | "issuer"> = {},
): (token: string) => Promise<string> {
  const fetch = () => Promise.resolve(Response.json({ keys }));
  return judging({ jwksUrl: "https://issuer.example/keys", keys: { fetch }, ...claims });
}

Deno.test("tokenAuthorizer() wants the audience and the issuer that it is given", async () => {
  const judge = judging({ secret: SECRET, audience: "chat", issuer: ["https://a.example", "b"] });
  const claims = { sub: "ann", aud: "chat", iss: "b" };
  const enter = (other: Record<string, unknown>) =>
    signWithSecret({ ...claims, ...other }, SECRET).then(judge);
  assertEquals(await enter({}), "ann");
  assertEquals(await enter({ aud: ["other", "chat"], iss: "https://a.example" }), "ann");
  for (const aud of ["other", ["other"], [], undefined, "chat ", "Chat"]) {
    const denied = await enter({ aud });
    assertEquals(denied, "The token is for another audience", JSON.stringify(aud));
  }
  for (const iss of ["https://a.example/", "c", undefined, ["b"]]) {
    assertEquals(await enter({ iss }), "The token is of another issuer", JSON.stringify(iss));
  }
});

Deno.test("tokenAuthorizer() wants the audience of published keys' tokens too", async () => {
  const { publicKey, privateKey } = await pairOf("ES256", "a");
  const judge = judgingBy([publicKey], { audience: "chat", issuer: "https://issuer.example" });
  const header = { alg: "ES256", kid: "a" };
  const enter = (claims: Record<string, unknown>) =>
    signWithKey({ sub: "ann", ...claims }, privateKey, header).then(judge);
  assertEquals(await enter({ aud: "chat", iss: "https://issuer.example" }), "ann");
  assertEquals(
    await enter({ aud: "bank", iss: "https://issuer.example" }),
    "The token is for another audience",
  );
  assertEquals(await enter({ aud: "chat" }), "The token is of another issuer");
});

Deno.test("tokenAuthorizer() gives clocks 30 s of leeway", async () => {
  const judge = judging({ secret: SECRET });
  const enter = (claims: Record<string, unknown>) =>
    signWithSecret({ sub: "ann", ...claims }, SECRET).then(judge);
  assertEquals(await enter({}), "ann");
  assertEquals(await enter({ exp: inSeconds(-20), nbf: inSeconds(20), iat: inSeconds(20) }), "ann");
  assertEquals(await enter({ exp: inSeconds(-40) }), "The token has expired");
  assertEquals(await enter({ nbf: inSeconds(40) }), "The token is not valid yet");
  assertEquals(await enter({ iat: inSeconds(40) }), "The token is not valid yet");
  assertEquals(await enter({ iat: "now" }), "The token is not valid");
});

Deno.test("tokenAuthorizer() lets a connection last as long as its token is taken", async () => {
  const exp = inSeconds(-5);
  const token = await signWithSecret({ sub: "ann", exp }, SECRET);
  const headers = { authorization: `Bearer ${token}` };
  const judged = await tokenAuthorizer({ secret: SECRET })(
    new Request("http://localhost/", { headers }),
  );
  assertEquals("denied" in judged ? undefined : judged.expiresAt, 1000 * (exp + 30));
});

Deno.test("tokenAuthorizer() takes a secret for its bytes, whatever they say", async () => {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const secrets = [
    "a secret with PUBLIC in it and some more",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    await exportPKCS8(privateKey),
    '{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
    "schlüssel schlüssel schlüssel 🔑",
  ];
  for (const secret of secrets) {
    const bytes = new TextEncoder().encode(secret);
    const judge = judging({ secret });
    assertEquals(await judge(await forge({ alg: "HS256" }, { sub: "ann" }, bytes)), "ann", secret);
    const other = new TextEncoder().encode(secret + " ");
    const denied = await judge(await forge({ alg: "HS256" }, { sub: "ann" }, other));
    assertEquals(denied, "The token is not valid", secret);
  }
});

Deno.test("tokenAuthorizer() refuses a secret that can be guessed", () => {
  for (const secret of ["", "a", "x".repeat(31)]) {
    assertThrows(() => tokenAuthorizer({ secret }), RangeError, "32 bytes or more");
  }
  // 16 characters, 32 bytes.
  tokenAuthorizer({ secret: "ü".repeat(16) });
});

Deno.test("tokenAuthorizer() verifies what issuers sign with", async (t) => {
  for (const alg of ["RS256", "PS512", "ES256", "ES384", "Ed25519"]) {
    await t.step(alg, async () => {
      const { publicKey, privateKey } = await pairOf(alg, "a");
      const thief = await pairOf(alg, "a");
      const judge = judgingBy([publicKey]);
      const header = { alg, kid: "a" };
      assertEquals(await judge(await signWithKey({ sub: "ann" }, privateKey, header)), "ann");
      const forged = await signWithKey({ sub: "ann" }, thief.privateKey, header);
      assertEquals(await judge(forged), "The token is not valid");
    });
  }
});

Deno.test("tokenAuthorizer() takes no key for another algorithm or use than its own", async () => {
  const { publicKey, privateKey } = await pairOf("RS256", "a");
  const claims = { sub: "ann" };
  const rs512 = await signWithKey(claims, privateKey, { alg: "RS512", kid: "a" });
  const denied = "The token is not valid";
  assertEquals(await judgingBy([publicKey])(rs512), "ann");
  assertEquals(await judgingBy([{ ...publicKey, alg: "RS256" }])(rs512), denied);
  assertEquals(await judgingBy([{ ...publicKey, use: "enc" }])(rs512), denied);
  assertEquals(await judgingBy([{ kty: "oct", k: "AAAA", kid: "a" }])(rs512), denied);
});

Deno.test("tokenAuthorizer() finds the key of a token that names none", async () => {
  const [one, two] = [await pairOf("ES256"), await pairOf("ES256")];
  const token = await signWithKey({ sub: "ann" }, two.privateKey, { alg: "ES256" });
  assertEquals(await judgingBy([two.publicKey])(token), "ann");
  assertEquals(await judgingBy([one.publicKey, two.publicKey])(token), "ann");
  assertEquals(await judgingBy([one.publicKey])(token), "The token is not valid");
  const expired = await signWithKey({ sub: "ann", exp: 1 }, two.privateKey, { alg: "ES256" });
  assertEquals(
    await judgingBy([one.publicKey, two.publicKey])(expired),
    "The token has expired",
  );
});

Deno.test("tokenAuthorizer() has not judged where the issuer's key is none", async () => {
  const { publicKey, privateKey } = await pairOf("ES256", "a");
  const token = await signWithKey({ sub: "ann" }, privateKey, { alg: "ES256", kid: "a" });
  const broken = { ...publicKey, x: "!" };
  await assertRejects(() => judgingBy([broken])(token), Error, "cannot be had");
});

Deno.test("tokenOf() reads a token of any characters, and bearerOf() writes it", () => {
  for (const token of ["abc", "c2Vzc2lvbi1vbmU=", "a b", "ü", "🔑", "a,b", '"'] as const) {
    const authorization = bearerOf(token);
    assertEquals(tokenOf(new Request("http://localhost/", { headers: { authorization } })), token);
  }
  const read = (protocols: string) =>
    tokenOf(
      new Request("http://localhost/", { headers: { "sec-websocket-protocol": protocols } }),
    );
  assertEquals(read("hubbub.v1, hubbub.token64.YSBi"), "a b");
  assertEquals(read("hubbub.token.abc,hubbub.v1"), "abc");
  assertEquals(read("hubbub.token64.!"), undefined);
});
