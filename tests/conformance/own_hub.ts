import { tokenAuthorizer } from "@hubbub/hub";
import { serveAlone } from "../helpers/test_server.ts";
import type { HubUnderTest } from "./hub_under_test.ts";

/** Servers of this repository, of every kind that a check needs. */
export async function startOwnHubs(): Promise<HubUnderTest & AsyncDisposable> {
  const secret = crypto.randomUUID() + crypto.randomUUID();
  await using stack = new AsyncDisposableStack();
  const open = stack.use(await serveAlone());
  const closed = stack.use(await serveAlone({ authorize: tokenAuthorizer({ secret }) }));
  const token = crypto.randomUUID();
  const operated = stack.use(await serveAlone({ adminToken: token }));
  const all = stack.move();
  return {
    url: open.url,
    withTokens: { url: closed.url, secret },
    withOperators: { url: operated.url, token },
    startStoppable: () => serveAlone({ limits: { messages_per_second: 0 } }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
