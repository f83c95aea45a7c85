import { ORIGIN } from "../../src/store/cursor.ts";
import { at, pause, sorted } from "./numbers.ts";
import type { ObservedHub } from "./observed_hub.ts";
import { WellBehaved } from "./well_behaved.ts";

/** Rooms in which members behave. */
export const ROOMS: readonly string[] = ["one", "two", "three", "four", "five"];
const MEMBERS = 50;
/** Milliseconds for what was sent last to come. */
const SETTLE_MS = 3_000;

/** How long acknowledgements took, in milliseconds. */
export interface Delays {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
}

/** Members that behave, some in each room. */
export class Company {
  readonly #hub: ObservedHub;
  readonly #url: string;
  readonly #members: readonly WellBehaved[];

  private constructor(hub: ObservedHub, url: string, members: readonly WellBehaved[]) {
    this.#hub = hub;
    this.#url = url;
    this.#members = members;
  }

  /** Lets members enter, and talk. */
  static async enter(hub: ObservedHub, address: string): Promise<Company> {
    const url = hub.urlFrom(address);
    const members = await Promise.all(Array.from({ length: MEMBERS }, async (_, i) => {
      const user = `member ${i}`;
      const token = await hub.tokenOf(user);
      return new WellBehaved(url, { room: ROOMS[i % ROOMS.length], user, token });
    }));
    await Promise.all(members.map(({ joined }) => joined));
    for (const member of members) {
      member.talk();
      await pause(20);
    }
    return new Company(hub, url, members);
  }

  /** How often members were cut off. */
  get cuts(): number {
    return this.#members.reduce((sum, { cuts }) => sum + cuts, 0);
  }

  /** How long acknowledgements took since the last call. */
  takeDelays(): Delays {
    const all = sorted(this.#members.flatMap(({ delaysMs }) => delaysMs.splice(0)));
    const part = (share: number) => at(all, share);
    return { count: all.length, p50: part(0.5), p95: part(0.95), p99: part(0.99), most: part(1) };
  }

  /** Lets everybody finish; returns what should not have happened to any of them. */
  async end({ mayBeCut }: { readonly mayBeCut: boolean }): Promise<string[]> {
    const problems: string[] = [];
    for (const member of this.#members) member.hush();
    await pause(SETTLE_MS);
    for (const room of ROOMS) {
      const expected = await this.#idsOf(room);
      for (const member of this.#members.filter((member) => member.room === room)) {
        const isSame = expected.length === member.ids.length &&
          expected.every((id, i) => id === member.ids[i]);
        const { user, ids } = member;
        if (!isSame) problems.push(`${user} got ${ids.length} of ${expected.length}, or misplaced`);
      }
    }
    for (const { user, unanswered, surprises, cuts } of this.#members) {
      if (mayBeCut && cuts > 0) continue;
      if (unanswered > 0) problems.push(`${user} has ${unanswered} messages unanswered`);
      problems.push(...surprises);
    }
    await Promise.all(this.#members.map((member) => member.leave()));
    return problems;
  }

  /** All messages of a room that members wrote. */
  async #idsOf(room: string): Promise<string[]> {
    const token = await this.#hub.tokenOf("judge");
    const headers: HeadersInit = token === "" ? {} : { authorization: `Bearer ${token}` };
    const ids: string[] = [];
    for (let after = ORIGIN;;) {
      const url = `${this.#url}/rooms/${room}/messages?limit=100&after=${after}`;
      const { messages } = await (await fetch(url, { headers })).json();
      if (messages.length === 0) return ids;
      for (const { id } of messages) ids.push(id);
      after = messages.at(-1).cursor;
    }
  }
}
