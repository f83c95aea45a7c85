import { assertEquals } from "@std/assert";
import { type ChatClient, ChatError, createClient } from "@hubbub/hub/client";
import type { Room, RoomMessage } from "@hubbub/hub/client";
import type { Message } from "@hubbub/hub/protocol";
import type { Random } from "./random.ts";
import { Storm, type StormOptions, type StormReport, within } from "./storm.ts";

/** How much a run of {@linkcode runRoomsStorm} holds. */
export interface RoomsStormOptions extends StormOptions {
  /** Rooms that each of the two users is in, all on one connection. */
  readonly rooms: number;
}

/** Messages that one user has on the way at once, over all rooms. */
const WINDOW = 200;
/** Shares of the messages after which their sender edits, deletes, or reacts to one that is shown. */
const SHARES = { edit: 0.1, delete: 0.03, react: 0.2 };

/** What a member said, and what should have become of it. */
interface Said {
  readonly text: string;
  /** What it says now; undefined where it was deleted. */
  now: string | undefined;
  /** The answer to it. */
  stored?: RoomMessage;
}

/** A message as everybody has it, whoever reads it. */
type Shown = Pick<Message, "cursor" | "reactions"> & { readonly text?: string };

/**
 * The storm of `runStorm` for users who are in many rooms on one connection, and who change messages.
 * Checks of each room that each message is stored once, that each promise resolves with its own
 * message, that both users have the whole log in its order and without a gap, with all that became of
 * its messages, and that nothing ends but where the hub says so.
 */
export async function runRoomsStorm(options: RoomsStormOptions): Promise<StormReport> {
  const { rooms, messages, faults } = options;
  // A fault strikes after all rooms are joined more often than before.
  await using storm = await Storm.start(options, Math.ceil(200 * messages / faults) + 400 * rooms);
  await using clients = new AsyncDisposableStack();
  const names = Array.from({ length: rooms }, (_, index) => `room-${index}`);
  const members = ["ann", "bob"].map((user) => {
    const client = createClient(storm.url, {
      token: () => storm.token(user),
      reconnect: { minDelayMs: 5, maxDelayMs: 100 },
      quietMs: 200,
    });
    clients.use(client);
    return new RoomsMember(client, user, names);
  });
  const broken = Promise.race(members.map(({ broken }) => broken));
  broken.catch(() => {});
  const before = <T>(promise: Promise<T>) => within(Promise.race([promise, broken]));
  await before(Promise.all(members.map((member) => member.until(() => member.isLive))));
  const done = Promise.all(members.map((member) => {
    return member.speak(messages / members.length, () => storm.isOver, storm.random);
  }));
  const [first] = members;
  await storm.kill((count) => before(first.until(() => first.seen >= count)));
  const said = (await before(done)).reduce((sum, count) => sum + count);
  storm.calm();
  for (const member of members) await before(member.until(() => member.seen >= said));
  let stored = 0;
  for (const name of names) {
    const log = await storm.log(name);
    stored += log.length;
    for (const member of members) {
      await before(member.until(() => member.agrees(name, log))).catch(() => {}); // The check tells.
      member.check(name, log);
    }
  }
  assertEquals(stored, said, "stored messages");
  return storm.report(said);
}

/** One user of a storm in all rooms, and what they saw. */
class RoomsMember {
  readonly client: ChatClient;
  /** Rejects when the client or one of its rooms ends for good. */
  readonly broken: Promise<never>;
  readonly #user: string;
  readonly #rooms: ReadonlyMap<string, Room>;
  /** What was sent into each room, in the order of the calls, and the answers. */
  readonly #said = new Map<string, Said[]>();
  readonly #waiting = new Set<() => void>();

  constructor(client: ChatClient, user: string, names: readonly string[]) {
    this.client = client;
    this.#user = user;
    // More than any room of a storm holds, so that a snapshot is all that was ever shown.
    const keep = 1_000_000;
    this.#rooms = new Map(names.map((name) => [name, client.room(name, { keep })]));
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    client.subscribe(() => {
      if (client.status === "closed") reject(new Error(`${user}: ${client.reason}`));
    });
    for (const room of this.#rooms.values()) {
      this.#said.set(room.name, []);
      room.subscribe(() => {
        const { status, error } = room.snapshot;
        if (status === "closed") reject(new Error(`${user} in ${room.name}: ${error?.message}`));
        for (const look of this.#waiting) look();
      });
    }
  }

  get isLive(): boolean {
    return [...this.#rooms.values()].every(({ snapshot }) => snapshot.status === "live");
  }

  /** Stored messages of all rooms that are shown. */
  get seen(): number {
    let seen = 0;
    for (const { snapshot } of this.#rooms.values()) {
      for (const { status } of snapshot.messages) if (status === "sent") seen++;
    }
    return seen;
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let isDue = false;
      const check = () => {
        isDue = false;
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      // Not for each of many rooms: looking at all of them is not free.
      const look = () => {
        if (!isDue) setTimeout(check, 20);
        isDue = true;
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Sends so many messages, and up to three times as many until the storm is over. */
  async speak(count: number, isOver: () => boolean, random: Random): Promise<number> {
    const rooms = [...this.#rooms.values()];
    let next = 0;
    const speaker = async () => {
      while (next < count || (!isOver() && next < 3 * count)) {
        const text = `${this.#user} ${next++}`;
        const room = rooms[random.below(rooms.length)];
        const said: Said = { text, now: text };
        this.#said.get(room.name)?.push(said);
        said.stored = await room.send({ text });
        await this.#change(room, said, random);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, speaker));
    return next;
  }

  /** Now and then changes a message; each waits for its answer, as the next message does for it. */
  async #change(room: Room, said: Said, random: Random): Promise<void> {
    const chance = random.next();
    if (chance < SHARES.edit) {
      said.now = `${said.text}, edited`;
      await room.edit(said.stored!, { text: said.now });
    } else if (chance < SHARES.edit + SHARES.delete) {
      said.now = undefined;
      await room.delete(said.stored!);
    } else if (chance < SHARES.edit + SHARES.delete + SHARES.react) {
      const shown = room.snapshot.messages.filter(({ status }) => status === "sent").slice(-20);
      const emoji = random.pick(["👍", "❤"]);
      await room.react(random.pick(shown), emoji, random.chance(0.7)).catch((error) => {
        // It was deleted meanwhile.
        if (!(error instanceof ChatError) || error.code !== "not_found") throw error;
      });
    }
  }

  /** Whether a room is shown as it is stored. */
  agrees(name: string, log: readonly Message[]): boolean {
    const { messages = [] } = this.#rooms.get(name)?.snapshot ?? {};
    return JSON.stringify(messages.map(shownOf)) === JSON.stringify(log.map(shownOf));
  }

  check(name: string, log: readonly Message[]): void {
    const { messages = [], status } = this.#rooms.get(name)?.snapshot ?? {};
    const who = `${this.#user} in ${name}`;
    assertEquals(status, "live", who);
    assertEquals(messages.map(shownOf), log.map(shownOf), who);
    const own = log.filter(({ user }) => user === this.#user);
    const said = this.#said.get(name) ?? [];
    assertEquals(own.length, said.length, who);
    assertEquals(said.map(({ stored }) => stored?.text), said.map(({ text }) => text), who);
    const now = new Map(own.map((message) => [message.cursor, shownOf(message).text]));
    assertEquals(
      said.map(({ stored }) => now.get(stored?.cursor ?? "")),
      said.map(({ now }) => now),
      who,
    );
  }
}

/** What a message says to whoever reads it. */
function shownOf(message: Message | RoomMessage): Shown {
  const { cursor = "", text, deleted, reactions = [] } = message;
  const kinds = reactions.map(({ emoji, count, users }) => ({ emoji, count, users }));
  return { cursor, text: deleted ? undefined : text, reactions: kinds };
}
