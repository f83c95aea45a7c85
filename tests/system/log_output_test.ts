import { assert, assertEquals } from "@std/assert";
import { findFreePort, untilAnswers } from "../helpers/blind_server.ts";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";

const ALL = needs("net", "run", "read", "write", "env");
const LINUX = { ignore: ALL.ignore || Deno.build.os !== "linux" };

Deno.test(
  "the server serves, counts and stops while its log goes to a full disk",
  LINUX,
  async () => {
    await inFolder(async (folder) => {
      const port = findFreePort();
      const env = {
        PORT: String(port),
        HUBBUB_KV: `${folder}/chat.sqlite3`,
        DENO: Deno.execPath(),
        HUBBUB_JWT_SECRET: "x".repeat(32),
      };
      // The shell becomes the server.
      const line = 'exec "$DENO" run --no-prompt -A main.ts > /dev/full 2>&1';
      await using server = new Deno.Command("sh", { args: ["-c", line], env }).spawn();
      const url = `http://127.0.0.1:${port}`;
      await untilAnswers(url);
      // Each is an event for the log.
      for (const token of ["a", "b", "c"]) {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(`${url}/rooms/lobby`, { headers });
        await response.body?.cancel();
        assertEquals(response.status, 401);
      }
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const [, failures] = /^hubbub_log_failures_total (\d+)$/m.exec(metrics) ?? [];
      assert(Number(failures) >= 3, `hubbub_log_failures_total is ${failures}`);
      server.kill("SIGTERM");
      assertEquals(await server.status, { success: true, code: 0, signal: null });
    });
  },
);
