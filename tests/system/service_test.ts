import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Configuration, readConfiguration } from "@hubbub/hub/service";
import { StartError, startService, startWorkers } from "@hubbub/hub/service";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";

const FILES = needs("net", "read", "write");

Deno.test("startService() says how to get KV where Deno has none", FILES, async () => {
  const property = Object.getOwnPropertyDescriptor(Deno, "openKv")!;
  Object.defineProperty(Deno, "openKv", { value: undefined, configurable: true });
  try {
    const configuration = readConfiguration(() => undefined);
    const options = { logger() {}, onListenerClosed() {} };
    const error = await assertRejects(() => startService(configuration, options), StartError);
    assertEquals(error.event, "no_kv");
    assertMatch(error.message, /start it with --unstable-kv, or .+"unstable": \["kv"\]/);
  } finally {
    Object.defineProperty(Deno, "openKv", property);
  }
});

const options = { logger() {}, onListenerClosed() {} };

function configurationOf(folder: string, port: number): Configuration {
  const environment: Record<string, string> = {
    PORT: String(port),
    HUBBUB_KV: `${folder}/chat.sqlite3`,
  };
  return readConfiguration((name) => environment[name]);
}

Deno.test("startService() says which program has the clients of others", FILES, async () => {
  const read = (environment: Record<string, string>) => {
    return readConfiguration((name) => ({ PORT: "0", ...environment })[name]);
  };
  const asked: Configuration[] = [
    read({ HUBBUB_POSTGRES: "postgres://me:s3cret@db.example/chat" }),
    { ...read({ HUBBUB_KV: ":memory:" }), nats: "nats://me:s3cret@a.example, b.example:1" },
  ];
  const errors = [];
  for (const configuration of asked) {
    const error = await assertRejects(() => startService(configuration, options), StartError);
    assertMatch(error.message, /deno task start has them .+ machines_main\.ts/);
    errors.push([error.event, error.fields]);
  }
  assertEquals(errors, [
    ["postgres_failed", { postgres: "db.example/chat" }],
    ["nats_failed", { nats: "a.example,b.example:1" }],
  ]);
});

Deno.test("startService() gives everything back where the port is busy", FILES, async () => {
  await inFolder(async (folder) => {
    const busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const configuration = configurationOf(folder, busy.addr.port);
    for (let i = 0; i < 2; i++) {
      const error = await assertRejects(() => startService(configuration, options), StartError);
      assertEquals(error.event, "listen_failed");
    }
    busy.close();
    const service = await startService(configuration, options);
    const health = await fetch(`http://127.0.0.1:${service.address.port}/health`);
    assertEquals((await health.json()).status, "ok");
    await service.stop();
  });
});

Deno.test("Service.stop() gives everything back, for another start", FILES, async () => {
  await inFolder(async (folder) => {
    const text = ["first", "second"];
    for (let i = 0; i < text.length; i++) {
      const service = await startService(configurationOf(folder, 0), options);
      const url = `http://127.0.0.1:${service.address.port}/rooms/lobby/messages`;
      const body = JSON.stringify({ user: "ann", text: text[i] });
      await (await fetch(url, { method: "POST", body })).body?.cancel();
      const { messages } = await (await fetch(url)).json();
      assertEquals(messages.map((message: { text: string }) => message.text), text.slice(0, i + 1));
      await Promise.all([service.stop(), service.stop()]);
    }
  });
});

Deno.test("startWorkers() gives everything back where a worker cannot serve", FILES, async () => {
  await inFolder(async (folder) => {
    const configuration = configurationOf(folder, 0);
    const broken = `data:text/javascript,throw new Error("no worker")`;
    const workers = { configuration, count: 2, logger() {} };
    const error = await assertRejects(() => startWorkers(broken, workers), StartError);
    assertEquals([error.event, error.fields.isolate], ["isolate_died", "isolate 1"]);
    const service = await startService(configuration, options);
    await service.stop();
  });
});

Deno.test("/health says that the database's file was deleted under the server", FILES, async () => {
  await inFolder(async (folder) => {
    const configuration = configurationOf(folder, 0);
    const service = await startService(configuration, options);
    const health = async () => {
      const response = await fetch(`http://127.0.0.1:${service.address.port}/health`);
      return [response.status, (await response.json()).status];
    };
    assertEquals(await health(), [200, "ok"]);
    await Deno.rename(configuration.kv!, `${configuration.kv}.gone`);
    assertEquals(await health(), [503, "storage_failed"]);
    await Deno.rename(`${configuration.kv}.gone`, configuration.kv!);
    assertEquals(await health(), [200, "ok"]);
    await service.stop();
  });
});
