import { createServer, type HubOptions, type KvRoomLogOptions } from "@hubbub/hub";
import type { Server, ServerOptions } from "@hubbub/hub";
import { createTestHub, type TestHub } from "./test_hub.ts";

/** How a {@linkcode TestServer} behaves. */
export interface TestServerOptions extends HubOptions, KvRoomLogOptions, ServerOptions {
  /** Where to listen: that of one that has stopped. @default {0, any} */
  readonly port?: number;
}

/** A server that listens on a free port of this machine until it is stopped or disposed of. */
export interface TestServer extends TestHub, AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Resolves when it listens no longer. */
  readonly finished: Promise<void>;
  /** Stops it as a signal would: drains it first. */
  stop(): Promise<void>;
}

/** Starts a server over a database, which stays the caller's to close. */
export function serve(kv: Deno.Kv, options: TestServerOptions = {}): TestServer {
  const parts = createTestHub(kv, options);
  const { logger } = parts;
  const server = createServer(parts.hub, { logger, ...options });
  const { port = 0 } = options;
  const http = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, server.fetch);
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await server.drain();
    await http.shutdown();
  };
  return {
    ...parts,
    server,
    port: http.addr.port,
    url: `http://127.0.0.1:${http.addr.port}`,
    finished: http.finished,
    stop: () => stopped ??= stop(),
    async [Symbol.asyncDispose]() {
      await this.stop();
    },
  };
}

/** Starts a server over a database in memory of its own. */
export async function serveAlone(options: TestServerOptions = {}): Promise<TestServer> {
  const kv = await Deno.openKv(":memory:");
  const server = serve(kv, options);
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.stop();
      kv.close();
    },
  };
}
