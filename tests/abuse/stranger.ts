import { RawSocket } from "../helpers/raw_socket.ts";
import { SQUATTED } from "./attacks/names.ts";
import { ROOMS } from "./company.ts";
import { at, pause, sorted } from "./numbers.ts";
import type { ObservedHub } from "./observed_hub.ts";

/** Milliseconds between two visits. */
const PAUSE_MS = 500;
/** Milliseconds after which nobody waits any more. */
const PATIENCE_MS = 10_000;

/** Somebody who comes by all the time: reads the page, joins a room, writes, and goes. */
export class Stranger {
  readonly #hub: ObservedHub;
  readonly #url: string;
  readonly #problems: string[] = [];
  readonly #visitsMs: number[] = [];
  #isOver = false;
  #visiting: Promise<void> | undefined;

  constructor(hub: ObservedHub, address: string) {
    this.#hub = hub;
    this.#url = hub.urlFrom(address);
  }

  /** Begins to come by. */
  start(): void {
    this.#visiting = this.#visit();
  }

  /** How long the visits took since the last call: how many, median, longest. */
  takeVisits(): { readonly count: number; readonly text: string } {
    const visits = sorted(this.#visitsMs.splice(0));
    const ms = (part: number) => at(visits, part).toFixed(0);
    const text = `${visits.length} visits of strangers, p50 ${ms(0.5)} max ${ms(1)} ms`;
    return { count: visits.length, text };
  }

  /** Comes no more; returns where it was not let in. */
  async end(): Promise<string[]> {
    this.#isOver = true;
    await this.#visiting;
    return this.#problems;
  }

  async #visit(): Promise<void> {
    const token = await this.#hub.tokenOf(SQUATTED);
    const headers: Record<string, string> = token === ""
      ? {}
      : { authorization: `Bearer ${token}` };
    for (let i = 0; !this.#isOver; i++) {
      const startedAt = performance.now();
      try {
        await this.#come(ROOMS[i % ROOMS.length], headers);
        this.#visitsMs.push(performance.now() - startedAt);
      } catch (error) {
        const ms = Math.round(performance.now() - startedAt);
        this.#problems.push(`a stranger was not let in after ${ms} ms: ${error}`);
      }
      await pause(PAUSE_MS);
    }
  }

  async #come(room: string, headers: Record<string, string>): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const get = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(this.#url + path, { ...init, headers, signal });
      await response.body?.cancel();
      if (response.status >= 400) throw new Error(`${path} got ${response.status}`);
    };
    await get("/");
    const opening = RawSocket.open(`${this.#url}/rooms/${room}/ws?user=${SQUATTED}`, headers);
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("it took too long")));
    });
    late.catch(() => {});
    using socket = await Promise.race([opening, late]);
    if (socket.status !== 101) throw new Error(`the handshake got ${socket.status}`);
    await Promise.race([socket.until('"joined"'), late]);
    const body = JSON.stringify({ text: "hello", user: SQUATTED });
    await get("/rooms/strangers/messages", { method: "POST", body });
    await get("/rooms/strangers/messages");
  }
}
