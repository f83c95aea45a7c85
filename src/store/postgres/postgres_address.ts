/**
 * Addresses of PostgreSQL.
 *
 * @module
 */

/** How TLS is used, as libpq has it. */
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

/** Where a database is, and who connects. */
export interface PostgresAddress {
  /** Names or addresses; the first one that takes writes is used. */
  readonly host: string[];
  /** Their ports. */
  readonly port: number[];
  /** The database. */
  readonly database: string;
  /** The user. */
  readonly user: string;
  /** The password; empty where there is none. */
  readonly password: string;
  /** What the client takes for TLS: a word, or options of `node:tls`. */
  readonly ssl: false | "prefer" | "require" | Readonly<Record<string, unknown>>;
}

/**
 * Reads an address as libpq writes it.
 *
 * @param text Such as `postgres://user:password@a.example:5432,b.example/chat?sslmode=verify-full`.
 * TLS is used where the server has it (`prefer`); `sslmode=verify-full` checks the certificate and
 * the name, `verify-ca` the certificate, with the authorities of `sslrootcert=FILE`, or with Deno's.
 * @returns The address.
 * @throws {TypeError} Where it is none, or asks for what is not known. The message holds no password.
 *
 * @example
 * ```ts
 * import { parsePostgresAddress } from "./postgres_address.ts";
 *
 * const { host, database } = parsePostgresAddress("postgres://ann@db.example/chat");
 * console.log(host, database); // ["db.example"] chat
 * ```
 */
export function parsePostgresAddress(text: string): PostgresAddress {
  const shown = text.replace(/\/\/[^@/]*@/, "//…@");
  const wrong = (why: string) => new TypeError(`Cannot use "${shown}" as a PostgreSQL: ${why}`);
  const [, hosts = ""] = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(text) ?? [];
  // Several hosts with commas between are no URL.
  const url = URL.parse(text.replace(hosts, "host"));
  if (hosts === "" || !url) throw wrong("it should be like postgres://user@host/database");
  const places = hosts.split(",").map((place) => {
    const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(place) ?? [];
    if (host === undefined) throw wrong(`"${place}" is no host`);
    return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port ?? 5432) };
  });
  const user = decodeURIComponent(url.username) || "postgres";
  return {
    host: places.map(({ host }) => host),
    port: places.map(({ port }) => port),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    user,
    password: decodeURIComponent(url.password),
    ssl: readTls(url.searchParams, wrong),
  };
}

function readTls(
  params: URLSearchParams,
  wrong: (why: string) => TypeError,
): PostgresAddress["ssl"] {
  for (const name of params.keys()) {
    if (name !== "sslmode" && name !== "sslrootcert") throw wrong(`"${name}" is not known`);
  }
  const file = params.get("sslrootcert");
  const mode = params.get("sslmode") ?? (file === null ? "prefer" : "verify-full");
  if (!(SSL_MODES as readonly string[]).includes(mode)) {
    throw wrong(`sslmode must be one of ${SSL_MODES.join(", ")}`);
  }
  if (mode === "disable") return false;
  if (mode === "allow" || mode === "prefer") return "prefer";
  const isSystem = file === null || file === "system";
  const ca = isSystem ? {} : { ca: Deno.readTextFileSync(file) };
  // As libpq does, `require` with authorities checks them.
  if (mode === "require" && file === null) return "require";
  if (mode === "verify-full") return { ...ca, rejectUnauthorized: true };
  return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
