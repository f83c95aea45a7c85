import { assertEquals, assertMatch } from "@std/assert";
import type { Message } from "@hubbub/hub";

/** Posts a body as a message. */
export async function post(url: string, body: BodyInit, room = "lobby"): Promise<Response> {
  return await fetch(`${url}/rooms/${room}/messages`, { method: "POST", body });
}

/** Posts a message. */
export async function say(url: string, body: Record<string, unknown>): Promise<Response> {
  return await post(url, JSON.stringify(body));
}

/** Checks a refusal, its status and its JSON; gives its message. */
export async function assertRefused(
  response: Response,
  status: number,
  code: string,
): Promise<string> {
  const text = await response.text();
  assertEquals(response.status, status, text);
  assertMatch(response.headers.get("content-type") ?? "", /^application\/json/);
  const { error, ...rest } = JSON.parse(text);
  assertEquals([error.code, rest], [code, {}]);
  assertEquals(Object.keys(error), ["code", "message"]);
  return error.message;
}

/** Asks for messages of the lobby. */
export async function page(url: string, query: string): Promise<Message[]> {
  const response = await fetch(`${url}/rooms/lobby/messages?${query}`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  const { messages, ...rest } = await response.json();
  assertEquals(Object.keys(rest), ["changes", "older", "newer"]);
  return messages;
}
