import { assertEquals } from "@std/assert";
import { forge } from "../helpers/tokens.ts";

/** A server that the checks may stop. */
export interface StoppableHub extends AsyncDisposable {
  readonly url: string;
  /** Stops it as a signal would. */
  stop(): Promise<void>;
}

/** The server that is checked. */
export interface HubUnderTest {
  /** Where it is, without a slash at the end. */
  readonly url: string;
  /** One that asks for tokens, and the secret that it takes. */
  readonly withTokens?: { readonly url: string; readonly secret: string };
  /** One that is open to all and has operators, and the token of these. */
  readonly withOperators?: { readonly url: string; readonly token: string };
  /** Starts one that may be stopped, open to all, without a limit on messages. */
  readonly startStoppable?: () => Promise<StoppableHub>;
}

/** What a point needs beyond a server that is open to all. */
export type PointNeed = "withTokens" | "withOperators" | "startStoppable";

/** The check of a point of `docs/protocol.md`. */
export interface PointCheck {
  /** The point's number. */
  readonly id: string;
  /** What the server has to be. @default {undefined} open to all */
  readonly need?: PointNeed;
  /** Throws where it is not as the point says. */
  readonly check: (hub: HubUnderTest) => Promise<void>;
}

/** Makes a name that nobody else has. */
export function anew(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 13)}`;
}

/** A request to a server, once more where that has too many. */
export async function ask(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  if (status !== 429) return response;
  await response.body?.cancel();
  await new Promise((resolve) => setTimeout(resolve, 1000 * Number(headers.get("retry-after"))));
  return await fetch(url, init);
}

/** Posts a body to a room. */
export async function post(hub: HubUnderTest, room: string, body: unknown): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await ask(`${hub.url}/rooms/${room}/messages`, { method: "POST", body: text });
}

/** Reads messages of a room. */
// deno-lint-ignore no-explicit-any
export async function page(hub: HubUnderTest, room: string, query = ""): Promise<any[]> {
  const response = await ask(`${hub.url}/rooms/${room}/messages?${query}`);
  assertEquals(response.status, 200);
  return (await response.json()).messages;
}

/** Checks that a request was refused with a status and a code; gives the headers. */
export async function assertRefused(
  response: Response | Promise<Response>,
  status: number,
  code: string,
): Promise<Headers> {
  const answer = await response;
  const text = await answer.text();
  assertEquals([answer.status, JSON.parse(text).error?.code], [status, code], text);
  assertEquals(answer.headers.get("content-type")?.split(";")[0], "application/json");
  return answer.headers;
}

/** Asks for an upgrade, as a WebSocket client does, and takes no for an answer. */
export async function handshake(
  address: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { hostname, port, host, pathname, search, protocol } = new URL(address);
  const isSecure = protocol === "https:";
  const options = { hostname, port: Number(port) || (isSecure ? 443 : 80) };
  using connection = isSecure ? await Deno.connectTls(options) : await Deno.connect(options);
  const all = {
    host,
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = new TextEncoder().encode(`GET ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`);
  for (let sent = 0; sent < request.length;) sent += await connection.write(request.subarray(sent));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const [head, body] = text.split("\r\n\r\n", 2);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (body === undefined) continue;
    if (/ 101 /.test(head) || new TextEncoder().encode(body).length >= Number(length)) break;
  }
  const [head, body] = text.split("\r\n\r\n", 2);
  const [first, ...rest] = head.split("\r\n");
  const status = Number(first.split(" ")[1]);
  const found = rest.map((line): [string, string] => {
    const at = line.indexOf(":");
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
  // A Response cannot have the status of an upgrade.
  return new Response(body, { status: status === 101 ? 299 : status, headers: found });
}

/** Makes a token of a server with a secret. */
export async function tokenOf(
  hub: HubUnderTest,
  user: string,
  options: {
    readonly seconds?: number;
    readonly rooms?: readonly string[] | Readonly<Record<string, string>>;
    readonly name?: string;
  } = {},
): Promise<string> {
  const { seconds = 600, ...claims } = options;
  const secret = new TextEncoder().encode(hub.withTokens?.secret);
  const exp = Math.ceil(Date.now() / 1000) + seconds;
  return await forge({ alg: "HS256", typ: "JWT" }, { sub: user, exp, ...claims }, secret);
}
