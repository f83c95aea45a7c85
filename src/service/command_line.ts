/**
 * The command line of the server.
 *
 * @module
 */

/** Descriptors that a process needs besides those of connections, and more for each worker. */
const DESCRIPTORS_OWN = 32;
const DESCRIPTORS_PER_WORKER = 16;
/** Of the rest, the part that is left to requests, which may use a connection that stays open. */
const REQUEST_SHARE = 0.1;

/** Arguments of the server. */
export interface Arguments {
  /** Whether help is wanted instead of a server. */
  readonly help: boolean;
  /** The number of descriptors that the process may have; undefined where that is not known. */
  readonly descriptors: number | undefined;
}

/** Text that says what there is to configure and to run. */
export const HELP = `A durable, ordered chat hub.

Tasks (deno task NAME):
  start            serves in one isolate
  start:parallel   serves in several isolates of one process
  dev              starts again after each change
  compile          makes one executable: build/hubbub
  test, check      tests; format, lint, types, documentation

Options of main.ts and parallel.ts:
  --help           this text
  --descriptors=N  the process may have N open files: connections are limited to what fits
                   (the tasks give what "ulimit -Hn" says; "unlimited" is no limit)

Variables and their defaults:
  PORT=8000  HOST=127.0.0.1                 where to listen
  HUBBUB_KV=hubbub.sqlite3                  a path, :memory:, or the URL of a remote KV
  HUBBUB_JWT_SECRET, HUBBUB_JWKS_URL        who may enter; without either the hub is open
  HUBBUB_OPEN=1                             an open hub on another host than loopback is meant
  HUBBUB_MAX_CONNECTIONS=20000              in an isolate
  DENO_JOBS                                 isolates of start:parallel; one a processor

docs/configuration.md has all of them. Only HUBBUB_KV holds messages; the log goes to standard
output, one JSON object a line. SIGTERM and SIGINT stop the server in order.
`;

/**
 * Reads the command line.
 *
 * @param args The arguments, such as `Deno.args`.
 * @returns What they say.
 * @throws {RangeError} Where there is an argument that means nothing.
 */
export function parseArguments(args: readonly string[]): Arguments {
  let help = false;
  let descriptors: number | undefined;
  for (const argument of args) {
    const [, count] = /^--descriptors=(\d{1,9}|unlimited|)$/.exec(argument) ?? [];
    if (argument === "--help" || argument === "-h") help = true;
    else if (count === undefined) {
      throw new RangeError(`There is no argument "${argument}": see --help`);
    } else if (/\d/.test(count)) descriptors = Number(count);
  }
  return { help, descriptors };
}

/**
 * The connections that a worker can hold.
 *
 * @param wanted The connections that it should hold.
 * @param descriptors The descriptors of the whole process; undefined where that is not known.
 * @param workers The number of workers.
 * @returns As many as wanted, or as fit.
 */
export function fitConnections(
  wanted: number,
  descriptors: number | undefined,
  workers: number,
): number {
  if (descriptors === undefined) return wanted;
  const free = descriptors - DESCRIPTORS_OWN - workers * DESCRIPTORS_PER_WORKER;
  const fitting = Math.floor(free * (1 - REQUEST_SHARE) / workers);
  return Math.max(1, Math.min(wanted, fitting));
}
