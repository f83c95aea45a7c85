import { pause } from "./numbers.ts";
import type { Outcome, Plan } from "./target.ts";

/** How much less of the processor attackers get than the hub: they do not run beside it elsewhere. */
const NICENESS = 10;
/** Milliseconds after which attackers that hang are left behind. */
const PATIENCE_MS = 30_000;

/** Attackers in a process of their own, which gives way to the hub's. */
export class AttackerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #outcome: Promise<Outcome>;

  /** Starts them. */
  constructor(plan: Plan) {
    const module = new URL("./attackers.ts", import.meta.url).pathname;
    const config = new URL("../../deno.test.json", import.meta.url).pathname;
    const script = `exec nice -n ${NICENESS} "$0" "$@"`;
    const run = ["run", "--quiet", "--no-prompt", "--allow-net", "--allow-read", "--allow-env"];
    this.#process = new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath(), ...run, `--config=${config}`, module],
      env: { ATTACKERS_PLAN: JSON.stringify(plan) },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#outcome = this.#read();
  }

  /** Stops them; returns what they did. Those that hang are left behind. */
  async end(): Promise<Outcome> {
    await this.#process.stdin.close().catch(() => {});
    const late = pause(PATIENCE_MS).then((): Outcome => ({ counts: {}, surprises: [] }));
    return await Promise.race([this.#outcome, late]);
  }

  async #read(): Promise<Outcome> {
    const text = await new Response(this.#process.stdout).text();
    try {
      return JSON.parse(text);
    } catch {
      const { code, signal } = await this.#process.status;
      const how = signal ?? `exit ${code}`;
      return { counts: {}, surprises: [`the attackers failed, ${how}: ${text.slice(0, 300)}`] };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // They have ended already.
    }
    await this.#process.status;
  }
}
