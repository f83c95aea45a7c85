import { runStorm } from "../helpers/client_storm.ts";
import { runRoomsStorm } from "../helpers/rooms_storm.ts";
import { needs } from "../helpers/permissions.ts";

const permissions = needs("net", "run", "read", "write", "env");

for (const seed of [1, 2]) {
  Deno.test(`connect() brings messages through a storm of faults, seed ${seed}`, {
    ...permissions,
    timeout: 120_000,
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
    try {
      await runStorm({ seed, messages: 1_000, faults: 60, kills: 1, folder });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (const [seed, rooms] of [[3, 5], [4, 40]] as const) {
  Deno.test(`createClient() brings ${rooms} rooms through a storm of faults, seed ${seed}`, {
    ...permissions,
    timeout: 120_000,
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
    try {
      await runRoomsStorm({ seed, rooms, messages: 1_000, faults: 40, kills: 1, folder });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
