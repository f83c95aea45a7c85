import { createServer, type HubOptions, type RoomLogOptions } from "@hubbub/hub";
import type { Server, ServerOptions } from "@hubbub/hub";
import { createTestHub, type TestHub } from "./test_hub.ts";

/** A server that listens on a free port of this machine until it is disposed of. */
export interface TestServer extends TestHub, AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Resolves when it listens no longer. */
  readonly finished: Promise<void>;
}

/** Starts a server; whoever disposes of it drains it first. */
export function serve(
  kv: Deno.Kv,
  options: HubOptions & RoomLogOptions & ServerOptions = {},
): TestServer {
  const parts = createTestHub(kv, options);
  const logger: ServerOptions["logger"] = (level, event, fields) => {
    parts.events.push({ level, event, fields });
  };
  const server = createServer(parts.hub, { logger, ...options });
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, server.fetch);
  return {
    ...parts,
    server,
    port: http.addr.port,
    url: `http://127.0.0.1:${http.addr.port}`,
    finished: http.finished,
    async [Symbol.asyncDispose]() {
      await server.drain();
      await http.shutdown();
    },
  };
}
