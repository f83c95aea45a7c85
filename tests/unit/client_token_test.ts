import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { tokenOf } from "@hubbub/hub";
import { bearer, tokenProtocol } from "../../src/client/token_source.ts";
import { start } from "../helpers/fake_socket.ts";

const AWKWARD = [
  "c2Vzc2lvbi1vbmU=",
  "a+b/c==",
  "a b",
  " ",
  "a,b",
  'say "hello"',
  "über",
  "🙂",
  "line\nfeed",
  "\0",
  "hubbub.token64.YQ",
  "hubbub.token.YQ",
  "{}",
  "ÿ",
];

function sent(token: string): { inHeader: string | undefined; inProtocol: string | undefined } {
  const inHeader = new Request("http://localhost/", { headers: { authorization: bearer(token) } });
  const protocols = `hubbub.v1.lines, hubbub.v1, ${tokenProtocol(token)}`;
  const inProtocol = new Request("http://localhost/", {
    headers: { "sec-websocket-protocol": protocols },
  });
  return { inHeader: tokenOf(inHeader), inProtocol: tokenOf(inProtocol) };
}

for (const token of AWKWARD) {
  Deno.test(`tokenOf() reads what the client sent of the token ${JSON.stringify(token)}`, () => {
    assertEquals(sent(token), { inHeader: token, inProtocol: token });
  });
}

Deno.test("tokenOf() reads what the client sent of any token", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (token) => {
    const name = tokenProtocol(token);
    assert(/^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/.test(name), name);
    assertEquals(sent(token), { inHeader: token, inProtocol: token });
  }));
});

Deno.test("tokenProtocol() leaves a token as version 1 knows it wherever that is a name", () => {
  for (const token of ["aa.bb-c.d_d", "session~1", "!#$%&'*+^`|"]) {
    assertEquals(tokenProtocol(token), `hubbub.token.${token}`);
    assertEquals(bearer(token), `Bearer ${token}`);
  }
  assertEquals(bearer("c2Vzc2lvbi1vbmU="), "Bearer c2Vzc2lvbi1vbmU=");
});

Deno.test("tokenOf() finds no token in what is no base64url of UTF-8", () => {
  for (const broken of ["hubbub.token64.", "hubbub.token64.!", "hubbub.token64._w"]) {
    const headers = { "sec-websocket-protocol": broken };
    const token = tokenOf(new Request("http://localhost/", { headers }));
    assert(token === undefined || token === "", `${token}`);
  }
});

Deno.test("ChatConnection connects with a token that no subprotocol can be", async () => {
  using test = await start({ token: "c2Vzc2lvbi1vbmU=" });
  assertEquals(test.socket.protocols[1], "hubbub.token64.YzJWemMybHZiaTF2Ym1VPQ");
  test.socket.join();
  assertEquals(test.ann.state.status, "live");
});
