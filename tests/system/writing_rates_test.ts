// Whatever is written over HTTP counts for the rate of its user.

import { assert, assertEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { serveAlone } from "../helpers/test_server.ts";

const MESSAGE = `/rooms/lobby/messages/${"0".repeat(19)}1`;
const MUTE = { user: "bob", kind: "mute" };

/** Requests that write, by what docs/openapi.json calls them; none needs what is there. */
const WRITES: Record<string, [path: string, body?: object]> = {
  "post /rooms/{room}/messages": ["/rooms/lobby/messages", { text: "a" }],
  "patch /rooms/{room}/messages/{cursor}": [MESSAGE, { text: "b" }],
  "delete /rooms/{room}/messages/{cursor}": [MESSAGE],
  "put /rooms/{room}/messages/{cursor}/reactions": [`${MESSAGE}/reactions?emoji=a`],
  "delete /rooms/{room}/messages/{cursor}/reactions": [`${MESSAGE}/reactions?emoji=a`],
  "put /users/me/rooms": ["/users/me/rooms?room=lobby", { read: "0".repeat(20) }],
  "delete /users/me/rooms": ["/users/me/rooms?room=lobby"],
  "post /rooms/{room}/sanctions": ["/rooms/lobby/sanctions", MUTE],
  "delete /rooms/{room}/sanctions": ["/rooms/lobby/sanctions?user=bob"],
};
/** Those of operators, whom no rate holds back. */
const OPERATORS = new Set([
  "delete /rooms/{room}",
  "post /rooms/{room}/import",
  "post /sanctions",
  "delete /sanctions",
  "delete /users",
  "post /compact",
]);
/** Twice what a connection may send at once. */
const BURST = 2;

Deno.test("every route that writes has a rate", needs("net", "read"), async () => {
  const { paths } = JSON.parse(await Deno.readTextFile("docs/openapi.json"));
  const routes = Object.entries(paths as Record<string, object>)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
    .filter((route) => /^(post|put|patch|delete) /.test(route) && !OPERATORS.has(route));
  assertEquals(routes.sort(), Object.keys(WRITES).sort());

  let user = "";
  await using server = await serveAlone({
    limits: { messages_per_second: 0.01, message_burst: BURST / 2 },
    authorize: () => ({ user, roleIn: () => "moderator" }),
  });
  for (const [route, [path, body]] of Object.entries(WRITES)) {
    user = route.replaceAll(" ", "");
    const send = () =>
      fetch(server.url + path, {
        method: route.split(" ")[0].toUpperCase(),
        body: body && JSON.stringify(body),
      });
    for (let count = 0; count < BURST; count++) {
      const response = await send();
      await response.body?.cancel();
      assert(response.status < 500 && response.status !== 429, `${route}: ${response.status}`);
    }
    await assertRefused(await send(), 429, "rate_limited");
  }
});
