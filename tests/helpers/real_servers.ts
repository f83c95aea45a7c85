// Real servers for the model of agreement.ts to run over, and what happens to them.

import { NatsFanout } from "@hubbub/hub/nats";
import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
import type { Ground } from "./ground.ts";
import { NatsServer } from "./nats_server.ts";
import { PostgresServer } from "./postgres_server.ts";
import type { Random } from "./random.ts";

/** What was done to servers, by name. */
export type Deeds = Map<string, number>;

/** A PostgreSQL, and a NATS beside it, for several runs. */
export class RealServers implements AsyncDisposable {
  readonly deeds: Deeds = new Map();
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  /** While one of them is down nobody takes the other down. */
  #isBusy = false;

  private constructor(postgres: PostgresServer, nats: NatsServer) {
    this.postgres = postgres;
    this.nats = nats;
  }

  static async start(): Promise<RealServers> {
    const [postgres, nats] = await Promise.all([PostgresServer.start(), NatsServer.start()]);
    return new RealServers(postgres, nats);
  }

  /**
   * Makes the ground of one run.
   *
   * @param options Whether hubs tell each other over NATS, or over PostgreSQL's notifications.
   */
  async ground(options: { readonly nats: boolean }): Promise<Ground> {
    const url = await this.postgres.createDatabase();
    return {
      epoch: 0,
      open: async () => {
        const log = await openLog(url);
        const fanout = options.nats
          ? new NatsFanout({ servers: this.nats.url })
          : new PostgresFanout(url);
        const close = async () => {
          await fanout.close();
          await log.close();
        };
        return { log, fanout, close };
      },
      disturb: (random) => this.#disturb(random, options),
    };
  }

  async #disturb(random: Random, { nats }: { readonly nats: boolean }): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const what = random.next();
    try {
      if (what < 0.6) {
        this.#count("backends terminated");
        await this.postgres.run(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hubbub%'",
        );
      } else if (what < 0.9 && nats) {
        this.#count("brokers killed");
        await this.nats.stop("SIGKILL");
        await this.nats.start();
      } else {
        this.#count("databases killed");
        await this.postgres.stop(random.chance(0.5) ? "SIGINT" : "SIGQUIT");
        await this.postgres.start();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #count(what: string): void {
    this.deeds.set(what, (this.deeds.get(what) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.postgres[Symbol.asyncDispose](), this.nats[Symbol.asyncDispose]()]);
  }
}

/** Opens the logs, also while the server is being started again. */
async function openLog(url: string): Promise<PostgresRoomLog> {
  for (let attempt = 0;; attempt++) {
    try {
      return await PostgresRoomLog.open(url);
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
