import type { Target } from "../target.ts";

/** More than the process may have open files. */
const CONNECTIONS = 4_500;
/** Milliseconds for which they stay. */
const STAY_MS = 15_000;

/** Opens TCP connections on which nothing is ever asked, until the process has no descriptor left. */
export async function idleConnections(target: Target): Promise<void> {
  while (!target.isOver) {
    const connections: Deno.TcpConn[] = [];
    const open = async () => {
      while (connections.length < CONNECTIONS && !target.isOver) {
        try {
          connections.push(await target.connect());
        } catch {
          await target.rest(100);
        }
      }
    };
    const timeout = target.rest(STAY_MS);
    await Promise.race([Promise.all(Array.from({ length: 16 }, open)), timeout]);
    target.count("idle connection", connections.length);
    await timeout;
    for (const connection of connections.splice(0)) connection.close();
    await target.rest(2_000);
  }
}
