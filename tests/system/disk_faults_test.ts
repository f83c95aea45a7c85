import { assert, assertEquals } from "@std/assert";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { hasStrace, Injection, NOT_ATTACHED } from "../helpers/injection.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { TestClient } from "../helpers/test_client.ts";

const FAULTS = [
  ["fsync fails", "fsync:error=EIO", "disk I/O error"],
  ["the disk is full", "pwrite64:error=ENOSPC", "database or disk is full"],
  ["writes fail", "pwrite64:error=EIO", "disk I/O error"],
  ["the disk is read-only from now on", "pwrite64:error=EROFS", "disk I/O error"],
] as const;

for (const [name, fault, message] of FAULTS) {
  Deno.test({
    name: `a hub refuses, reports and goes on when ${name}`,
    ignore: !hasStrace(),
    async fn() {
      await inFolder(async (directory) => {
        await using hub = await HubProcess.start({ HUBBUB_KV: `${directory}/log` });
        await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
        await using bob = await TestClient.join(hub.url, "/rooms/lobby/ws?user=bob");
        await ann.store("before");
        const injection = new Injection(hub.pid, fault);
        if (!await injection.attached) {
          await injection.end();
          console.warn(NOT_ATTACHED);
          return;
        }
        for (const ref of ["1", "2", "3"]) {
          ann.say(`during ${ref}`, ref);
          const error = await ann.first("error", (error) => error.ref === ref);
          assertEquals(error.code, "not_stored");
        }
        const body = JSON.stringify({ user: "ann", text: "during 4" });
        const posted = await fetch(`${hub.url}/rooms/lobby/messages`, { method: "POST", body });
        assertEquals((await posted.json()).error.code, "not_stored");
        assertEquals(posted.status, 503);
        await injection.end();

        await ann.store("after");
        await bob.first("chat_message", ({ text }) => text === "after");
        assertEquals(bob.said, ["before", "after"]);
        const stored = await (await fetch(`${hub.url}/rooms/lobby/messages`)).json();
        assertEquals(stored.messages.map(({ text }: { text: string }) => text), [
          "before",
          "after",
        ]);
        const reported = hub.lines.filter((line) => line.includes('"event":"commit_failed"'));
        assert(
          reported.length > 0 && reported.every((line) => line.includes(message)),
          reported[0],
        );
        const metrics = await (await fetch(`${hub.url}/metrics`)).text();
        assert(metrics.includes('hubbub_kv_failures_total{operation="commit"} 4'), metrics);
        const health = await fetch(`${hub.url}/health`);
        assertEquals((await health.json()).status, "ok");
        assertEquals((await hub.stop("SIGTERM")).code, 0);
      });
    },
  });
}

Deno.test({
  name: "a hub says so when the disk cannot be read, and goes on",
  ignore: !hasStrace(),
  async fn() {
    await inFolder(async (directory) => {
      const env = { HUBBUB_KV: `${directory}/log` };
      const messages = "/rooms/lobby/messages";
      {
        await using hub = await HubProcess.start(env);
        const body = JSON.stringify({ user: "ann", text: "before" });
        const posted = await fetch(`${hub.url}${messages}`, { method: "POST", body });
        assertEquals([posted.status, await posted.json().then(({ text }) => text)], [
          201,
          "before",
        ]);
        await hub.stop("SIGTERM");
      }
      await using hub = await HubProcess.start(env);
      const injection = new Injection(hub.pid, "pread64:error=EIO");
      if (!await injection.attached) {
        await injection.end();
        console.warn(NOT_ATTACHED);
        return;
      }
      const refused = await fetch(`${hub.url}${messages}`);
      assertEquals([refused.status, (await refused.json()).error.code], [503, "unavailable"]);
      await injection.end();
      const { messages: read } = await (await fetch(`${hub.url}${messages}`)).json();
      assertEquals(read.map(({ text }: { text: string }) => text), ["before"]);
      assertEquals((await hub.stop("SIGTERM")).code, 0);
    });
  },
});

const GONE: Record<string, (path: string) => Promise<void>> = {
  "is deleted": (path) => Deno.remove(path),
  "is replaced by another one": async (path) => {
    await Deno.copyFile(path, `${path}.copy`);
    await Deno.rename(`${path}.copy`, path);
  },
  "loses its write-ahead log": (path) => Deno.remove(`${path}-wal`),
};

for (const [what, damage] of Object.entries(GONE)) {
  Deno.test({
    name: `a hub whose database file ${what} says so, and soon acknowledges nothing`,
    ...needs("run", "net", "read", "write", "env"),
    async fn() {
      await inFolder(async (directory) => {
        await using hub = await HubProcess.start({ HUBBUB_KV: `${directory}/log` });
        const post = async () => {
          const body = JSON.stringify({ user: "ann", text: "hello" });
          const answer = await fetch(`${hub.url}/rooms/lobby/messages`, { method: "POST", body });
          await answer.body?.cancel();
          return answer.status;
        };
        const health = async () => {
          const answer = await fetch(`${hub.url}/health`);
          return `${answer.status} ${(await answer.json()).status}`;
        };
        assertEquals([await post(), await health()], [201, "200 ok"]);
        await damage(`${directory}/log`);
        assertEquals(await health(), "503 storage_failed");
        await eventually(async () => await post() === 503, "a refusal");
        const failed = await hub.logged("commit_failed");
        assert(String(failed.error).includes("what is stored now is lost"));
        assertEquals(await post(), 503);
        assertEquals((await hub.stop("SIGTERM")).code, 0);
      });
    },
  });
}
