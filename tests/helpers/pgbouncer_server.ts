import { freePorts } from "./reverse_proxy.ts";
import { hasCommand, Shell } from "./shell.ts";

/** Whether there is a PgBouncer here; a file that needs one asks before it registers its tests. */
export async function hasPgBouncer(): Promise<boolean> {
  const run = await Deno.permissions.query({ name: "run", command: "sh" });
  return run.state === "granted" && await hasCommand("pgbouncer");
}

/** A real PgBouncer before a PostgreSQL, which gives each transaction any of its connections. */
export class PgBouncerServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #shell: Shell;

  private constructor(folder: string, port: number, shell: Shell) {
    this.#folder = folder;
    this.#port = port;
    this.#shell = shell;
  }

  /**
   * Starts one.
   *
   * @param port The port of the PostgreSQL.
   */
  static async start(port: number): Promise<PgBouncerServer> {
    const [own] = freePorts(1);
    const folder = await Deno.makeTempDir({ prefix: "hubbub-pgbouncer-" });
    const lines = [
      "[databases]",
      `* = host=127.0.0.1 port=${port} user=hubbub`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${own}`,
      "unix_socket_dir =",
      "auth_type = any",
      "pool_mode = transaction",
      "default_pool_size = 6",
    ];
    await Deno.writeTextFile(`${folder}/pgbouncer.ini`, lines.join("\n") + "\n");
    await Deno.chmod(folder, 0o755);
    const drop =
      '[ "$(id -u)" = 0 ] && P="setpriv --reuid=postgres --regid=postgres --clear-groups"';
    const shell = new Shell(`sh -c '${drop}; exec $P pgbouncer ${folder}/pgbouncer.ini'`);
    await shell.until(/process up/);
    return new PgBouncerServer(folder, own, shell);
  }

  /** The URL of a database. */
  urlOf(database: string): string {
    return `postgres://hubbub@127.0.0.1:${this.#port}/${database}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell.stop("SIGTERM");
    await this.#shell[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
