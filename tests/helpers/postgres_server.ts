// deno-lint-ignore no-import-prefix
import postgres from "npm:postgres@3.4.9";
import { eventually } from "./patience.ts";
import { freePorts } from "./reverse_proxy.ts";
import { Shell } from "./shell.ts";

/** Where the programs are: Debian keeps them out of PATH. */
const FIND =
  `D=$(dirname "$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb | tail -1)")`;
/** PostgreSQL does not run as root. */
const DROP =
  `if [ "$(id -u)" = 0 ]; then P="setpriv --reuid=postgres --regid=postgres --clear-groups"; fi`;

/** What a server answers while it starts or stops. */
const CANNOT_CONNECT_NOW = "57P03";

/** Whether there is a PostgreSQL here; a file that needs one asks before it registers its tests. */
export async function hasPostgres(): Promise<boolean> {
  const run = await Deno.permissions.query({ name: "run", command: "sh" });
  if (run.state !== "granted") return false;
  const command = `${FIND}; test -x "$D/initdb" -a -x "$D/postgres"`;
  const { success } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  if (!success) console.warn("The tests of PostgreSQL are ignored: there is none here");
  return success;
}

/** How a {@linkcode PostgresServer} is started. */
export interface PostgresServerOptions {
  /** Settings of the server, such as `synchronous_commit=off`. @default {{}} */
  readonly settings?: Readonly<Record<string, string>>;
  /** The network namespace that it listens in, at all addresses. @default {undefined} this one */
  readonly namespace?: string;
}

/** A real PostgreSQL in a process of its own, at a free port of this machine. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  /** The folder of its data. */
  readonly folder: string;
  readonly #settings: string;
  readonly #namespace: string | undefined;
  #shell: Shell | undefined;
  #databases = 0;

  private constructor(port: number, folder: string, settings: string, namespace?: string) {
    this.port = port;
    this.folder = folder;
    this.#settings = settings;
    this.#namespace = namespace;
  }

  /** Makes a cluster of databases, starts it, and waits until it listens. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const [port] = freePorts(1);
    const folder = await Deno.makeTempDir({ prefix: "hubbub-postgres-" });
    const settings = { max_connections: "60", shared_buffers: "32MB", ...options.settings };
    const server = new PostgresServer(
      port,
      folder,
      Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(" "),
      options.namespace,
    );
    const init =
      `$P $D/initdb -D ${folder}/data -A trust -U hubbub --no-sync -E UTF8 --locale=C >/dev/null`;
    await Shell.run(
      `sh -c '${FIND}; ${DROP}; [ -z "$P" ] || chown postgres ${folder}; cd ${folder}; ${init}'`,
    );
    if (options.namespace !== undefined) {
      await Deno.writeTextFile(`${folder}/data/pg_hba.conf`, "host all all all trust\n");
    }
    await server.start();
    return server;
  }

  /** The URL of a database. */
  urlOf(database: string): string {
    return `postgres://hubbub@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes a database that is empty, and returns its URL. */
  async createDatabase(): Promise<string> {
    const name = `test${++this.#databases}`;
    await this.run(`create database ${name}`);
    return this.urlOf(name);
  }

  /** Runs a statement as the owner of everything, also while the server is starting. */
  async run(statement: string, database = "postgres"): Promise<Record<string, unknown>[]> {
    return await eventually(async () => {
      const sql = postgres(this.urlOf(database), { max: 1, onnotice() {}, fetch_types: false });
      try {
        return [...await sql.unsafe(statement)];
      } catch (error) {
        if ((error as { code?: string }).code !== CANNOT_CONNECT_NOW) throw error;
        return undefined;
      } finally {
        await sql.end();
      }
    }, `a connection, for: ${statement}`);
  }

  /** Starts it again, at the same port. */
  async start(): Promise<void> {
    const { folder, port } = this;
    const namespace = this.#namespace;
    const inside = namespace === undefined ? "" : `ip netns exec ${namespace}`;
    const hosts = namespace === undefined ? "127.0.0.1" : "0.0.0.0";
    const run =
      `exec ${inside} $P $D/postgres -D ${folder}/data -h ${hosts} -p ${port} -k ${folder}`;
    const line = `sh -c '${FIND}; ${DROP}; cd ${folder}; ${run} ${this.#settings}'`;
    for (let attempt = 0;; attempt++) {
      this.#shell = new Shell(line);
      try {
        await this.#shell.until(/ready to accept connections/);
        return;
      } catch (error) {
        // What was killed may not have ended altogether.
        await this.#shell[Symbol.asyncDispose]();
        if (attempt === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  /** Ends it: SIGINT as an operator does, SIGKILL as a crash does. */
  async stop(signal: Deno.Signal = "SIGINT"): Promise<void> {
    await this.#shell?.stop(signal);
    await this.#shell?.[Symbol.asyncDispose]();
    this.#shell = undefined;
  }

  /** Ends it at once, without waiting, and leaves its folder: for the end of a test file. */
  kill(): void {
    this.#shell?.signal("SIGINT");
    Deno.removeSync(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shell) await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}
