import { RawSocket } from "../../helpers/raw_socket.ts";
import { pick, type Target } from "../target.ts";

/** Posts what is no message. */
export async function badRequests(target: Target): Promise<void> {
  const bodies = [
    "{",
    '{"text":""}',
    '{"text":"\\ud800"}',
    "x".repeat(100_000),
    "[]",
    "[".repeat(20_000),
  ];
  await target.repeat("bad request", { times: 4, pauseMs: 20 }, async () => {
    const { headers } = target.credentials();
    const url = `${target.url}/rooms/${pick(["flood", "%00", "a b"])}/messages`;
    const response = await fetch(url, { method: "POST", headers, body: pick(bodies) });
    await response.body?.cancel();
    if (response.status < 400 || response.status >= 500) {
      target.surprise(`bad request: got ${response.status}`);
    }
  });
}

/** Knocks with tokens that nobody signed. */
export async function badTokens(target: Target): Promise<void> {
  await target.repeat("bad token", { times: 4, pauseMs: 10 }, async () => {
    const header = pick(["HS256", "none", "RS256", "x".repeat(5_000)]);
    const claims = pick([{}, { sub: "ann" }, { sub: "ann", exp: 1 }, "[".repeat(3_000)]);
    const token = [{ alg: header }, claims].map((part) => btoa(JSON.stringify(part))).join(".");
    await knock(target, { authorization: `Bearer ${token}.eA` }, 401);
  });
}

/** Knocks as a page of somebody else's does, with a good token. */
export async function foreignOrigins(target: Target): Promise<void> {
  await target.repeat("foreign origin", { times: 2, pauseMs: 20 }, async () => {
    const { headers } = target.credentials();
    await knock(target, { ...headers, origin: "https://evil.example" }, 403);
  });
}

/** Hangs up before it is answered. */
export async function ghosts(target: Target): Promise<void> {
  const heads = [
    "GET /rooms/ghosts/ws HTTP/1.1\r\nhost: x\r\nupgrade: webso",
    "POST /rooms/ghosts/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
    "GET /rooms/ghosts/messages HTTP/1.1\r\nhost: x\r\n\r\n",
    "\0\r\n\r\n",
  ];
  await target.repeat("ghost", { times: 4, pauseMs: 10 }, async () => {
    using _connection = await target.connect(pick(heads));
    await target.rest(pick([0, 5, 500]));
  });
}

async function knock(
  target: Target,
  headers: Record<string, string>,
  expected: number,
): Promise<void> {
  using socket = await RawSocket.open(`${target.url}/rooms/${pick(target.plan.rooms)}/ws`, headers);
  if (socket.status !== expected && socket.status !== 429) {
    target.surprise(`knock: got ${socket.status} in place of ${expected}`);
  }
}
