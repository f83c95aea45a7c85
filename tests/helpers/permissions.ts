/** Milliseconds that a test has, also on a busy machine: what hangs fails, and the next one runs. */
const TEST_TIMEOUT_MS = 300_000;

/** What a test may need beyond computing. */
type Need = "net" | "read" | "write" | "run" | "env";

const missing = new Map<Need, boolean>();

/**
 * Lets a test run only where it has the permissions it needs: `deno task test` grants them all,
 * a bare `deno test` none. What is ignored for that reason says so, once for each permission.
 *
 * @param needs The permissions.
 * @returns A part of a test definition.
 */
export function needs(...needs: Need[]): { ignore: boolean; timeout: number } {
  const ignore = needs.map(isMissing).some((isMissing) => isMissing);
  return { ignore, timeout: TEST_TIMEOUT_MS };
}

/**
 * Whether a test is left out that takes a minute or so, or a quiet machine: `deno task test:slow`
 * runs those, and nothing else does.
 */
export const SLOW_LEFT_OUT: boolean =
  Deno.permissions.querySync({ name: "env", variable: "SLOW_TESTS" }).state !== "granted" ||
  Deno.env.get("SLOW_TESTS") !== "1";

function isMissing(need: Need): boolean {
  const known = missing.get(need);
  if (known !== undefined) return known;
  const descriptor: Deno.PermissionDescriptor = need === "net"
    ? { name: need, host: "127.0.0.1" }
    : need === "run"
    ? { name: need, command: Deno.execPath() }
    : { name: need };
  const isIt = Deno.permissions.querySync(descriptor).state !== "granted";
  if (isIt) console.warn(`Tests that need --allow-${need} are ignored: run "deno task test"`);
  missing.set(need, isIt);
  return isIt;
}
