// A model of messages that change: several hubs over one database and a fan-out that loses, delays,
// repeats and reorders; people who say, edit, delete and react, through whichever hub; members that
// come, go and resume; pages that are read while all of that goes on; hubs that die. Afterwards what
// everybody folded together is held against the log.

import type { ChangeDraft, Hub, KvRoomLog } from "@hubbub/hub";
import { decodeServerEnvelopeV2, type MessageChange, type MessageV2 } from "@hubbub/hub/protocol";
import { readPresentPage } from "../../src/hub/present_page.ts";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageOf, payloadOf } from "../../src/store/folded_record.ts";
import { FaultyHubs, untilRight } from "./faulty_hubs.ts";
import { Random } from "./random.ts";
import { pause } from "./test_isolates.ts";

const ROOM = "lobby";
const EMOJIS = ["👍", "❤", "x"];

/** What a run came to. */
export interface ChangeAccount {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Envelopes that members got. */
  readonly delivered: number;
  readonly changes: number;
  /** Changes that were sent again and were found to be made before. */
  readonly repeats: number;
  readonly deleted: number;
  readonly killed: number;
  readonly resumed: number;
  readonly dropped: number;
}

/** A message as somebody has folded it together. */
interface Folded {
  text: string;
  isDeleted: boolean;
  data: unknown;
  reactions: Map<string, Set<string>>;
  changed: string;
}

/** Somebody's picture of the room: it folds as a client does. */
class Picture {
  readonly messages = new Map<string, Folded>();
  cursor = "";

  show(message: MessageV2): void {
    const { cursor, text = "", deleted = false, data, reactions = [], changed = "" } = message;
    const known = this.messages.get(cursor);
    // The answer to a repeat, or a page that is older than what was told since.
    if (known && known.changed >= changed) return;
    this.messages.set(cursor, {
      text,
      isDeleted: deleted,
      data,
      reactions: new Map(reactions.map(({ emoji, users }) => [emoji, new Set(users)])),
      changed,
    });
  }

  change(change: MessageChange): void {
    const { message, cursor, kind, text, data, emoji = "", status, user } = change;
    const folded = this.messages.get(message);
    if (!folded || cursor <= folded.changed) return;
    folded.changed = cursor;
    if (folded.isDeleted) return;
    if (kind === "delete") {
      Object.assign(folded, { text: "", isDeleted: true, data: undefined, reactions: new Map() });
    } else if (kind === "edit") {
      if (text !== undefined) folded.text = text;
      if (data !== undefined) folded.data = data ?? undefined;
    } else {
      const users = folded.reactions.get(emoji) ?? new Set();
      if (status) users.add(user);
      else users.delete(user);
      if (users.size > 0) folded.reactions.set(emoji, users);
      else folded.reactions.delete(emoji);
    }
  }

  /** The same for everybody who knows everything: all but the last change, which may be none. */
  print(cursor: string): string {
    const { text, isDeleted, data, reactions } = this.messages.get(cursor)!;
    const sorted = [...reactions].map(([emoji, users]) => [emoji, [...users].sort()]).sort();
    return JSON.stringify([text, isDeleted, data ?? null, sorted]);
  }
}

/** A device: it keeps its picture, and resumes. */
class Watcher {
  readonly picture = new Picture();
  hub: Hub | undefined;
  delivered = 0;
  isLive = false;
  leave: () => void = () => {};

  constructor(readonly user: string, readonly wrong: (what: string) => void) {}

  join(hub: Hub): void {
    this.leave();
    let isOver = false;
    this.hub = hub;
    this.isLive = false;
    let last = "";
    const subscription = hub.join(ROOM, {
      user: this.user,
      protocol: 2,
      send: (batch) => {
        for (const text of batch.linesV2(this.user).split("\n")) {
          if (isOver || text === "") continue;
          const decoded = decodeServerEnvelopeV2(text);
          if (!decoded.ok) throw new Error(text);
          const { envelope } = decoded;
          this.delivered++;
          const { picture } = this;
          switch (envelope.type) {
            case "chat_message":
              picture.show(envelope.payload);
              break;
            case "message_changed":
              picture.change(envelope.payload);
              break;
            case "joined":
              this.isLive = true;
              break;
            default:
              continue;
          }
          const { cursor } = envelope.payload;
          // Live, places never go back.
          if (this.isLive && cursor < last) this.wrong(`${this.user} got ${cursor} after ${last}`);
          last = cursor;
          if (cursor > picture.cursor) picture.cursor = cursor;
        }
      },
      close: () => this.leave(),
    }, { after: this.picture.cursor || undefined, history: 100 });
    this.leave = () => {
      isOver = true;
      this.hub = undefined;
      this.leave = () => {};
      subscription.leave();
    };
  }
}

/** Runs one seed over a database of its own. */
export async function runChanges(
  seed: number,
  path: string,
  { steps = 250, members = 5 } = {},
): Promise<ChangeAccount> {
  const random = new Random(seed);
  const hubs = new FaultyHubs(path, random);
  const violations: string[] = [];
  const wrong = (what: string) => void violations.push(what);
  for (let i = 1 + random.below(3); i >= 0; i--) await hubs.start();
  const anyHub = () => hubs.any().hub;
  const watchers = Array.from({ length: members }, (_, i) => new Watcher(`w${i}`, wrong));
  const cursors: string[] = [];
  let [changes, repeats, deleted, killed, resumed, said] = [0, 0, 0, 0, 0, 0];
  /** Changes that have a name, which is sent again through whichever hub, at once and later. */
  const named: [user: string, draft: ChangeDraft][] = [];
  const change = async (hub: Hub, user: string, draft: ChangeDraft) => {
    const result = await hub.change(ROOM, user, draft);
    if (result.status === "duplicate") repeats++;
    if (result.status === "refused" && result.problem.code === "ref_reused") {
      wrong(`${draft.ref} is taken for another`);
    }
    if (result.status !== "stored") return;
    changes++;
    if (draft.kind === "delete") deleted++;
  };
  for (let step = 0; step < steps; step++) {
    const what = random.next();
    const hub = anyHub();
    const cursor = cursors.at(-1 - random.below(Math.min(cursors.length, 12)));
    if (what < 0.2 || !cursor) {
      hubs.run(
        hub.publish(ROOM, "ann", { text: `m${++said}`, data: { said } }).then((result) => {
          if (result.status === "stored") cursors.push(result.record.cursor);
        }),
      );
    } else if (what < 0.72) {
      const kind = random.next();
      const ref = random.chance(0.5) ? `r${step}` : undefined;
      const draft: ChangeDraft = kind < 0.6
        ? { kind: "reaction", cursor, emoji: random.pick(EMOJIS), status: random.chance(0.6), ref }
        : kind < 0.93
        ? {
          kind: "edit",
          cursor,
          ...(random.chance(0.7) ? { text: `e${step}` } : { data: random.pick([null, { step }]) }),
          ref,
        }
        : { kind: "delete", cursor, ref };
      const user = draft.kind === "reaction" ? `u${random.below(6)}` : "ann";
      if (ref !== undefined) named.push([user, draft]);
      hubs.run(change(hub, user, draft));
      // The same again, through another hub.
      if (random.chance(0.2)) hubs.run(change(anyHub(), user, draft));
      const again = random.chance(0.2) && named.at(-1 - random.below(Math.min(named.length, 9)));
      if (again) hubs.run(change(anyHub(), ...again));
    } else if (what < 0.88) {
      const watcher = random.pick(watchers);
      if (random.chance(0.3)) watcher.leave();
      else {
        resumed++;
        watcher.join(hub);
      }
    } else if (what < 0.96) {
      const { log } = hubs.any();
      hubs.run(readPages(log, wrong));
    } else if (what < 0.975 && hubs.all.length > 1) {
      killed++;
      hubs.kill(random.below(hubs.all.length), (gone) => {
        for (const watcher of watchers) if (watcher.hub === gone) watcher.leave();
      });
      await hubs.start();
    }
    await pause(random.chance(0.3) ? random.below(4) : 0);
  }
  await hubs.calm(3_000);
  const { log } = hubs.all[0];
  // Newcomers, on each hub.
  const newcomers = hubs.all.map(({ hub }, i) => {
    const newcomer = new Watcher(`n${i}`, wrong);
    newcomer.join(hub);
    return newcomer;
  });
  for (const watcher of watchers) if (!watcher.hub) watcher.join(anyHub());
  const everybody = [...watchers, ...newcomers];
  const found = await untilRight(() => {
    for (const watcher of everybody) if (!watcher.hub) watcher.join(anyHub());
    return compare(log, everybody);
  });
  violations.push(...found, ...await findRepeats(log));
  for (const watcher of everybody) watcher.leave();
  hubs.close();
  const delivered = everybody.reduce((sum, { delivered }) => sum + delivered, 0);
  const { dropped } = hubs;
  return { seed, violations, delivered, changes, repeats, deleted, killed, resumed, dropped };
}

/** Finds changes that stand in the log more than once. */
async function findRepeats(log: KvRoomLog): Promise<string[]> {
  const names = new Set<string>();
  const found: string[] = [];
  for (const { id, user, ref, cursor } of await log.changes(ROOM, ORIGIN, { limit: Infinity })) {
    for (const name of [id, ...(ref === undefined ? [] : [`${user} ${ref}`])]) {
      if (names.has(name)) found.push(`${name} is made again at ${cursor}`);
      names.add(name);
    }
  }
  return found;
}

/** Reads the whole room page by page, and folds what comes together. */
async function readAll(log: KvRoomLog, limit: number): Promise<Picture> {
  const picture = new Picture();
  for (let after = ORIGIN;;) {
    const page = await readPresentPage(log, ROOM, { after, limit, maxLength: 1e6 });
    for (const record of page.messages) {
      const { text, deleted, data, reactions, changed, cursor, user } = messageOf(record);
      picture.show({ cursor, user, at: 0, text, deleted, data, reactions, changed });
    }
    for (const { change } of page.changes) {
      if (change && change.kind !== "control") picture.change(payloadOf(change));
    }
    if (page.newer === null) return picture;
    after = page.newer;
  }
}

/** Reads pages while others write: what was deleted by then must not be in them. */
async function readPages(log: KvRoomLog, wrong: (what: string) => void): Promise<void> {
  const gone = new Set<string>();
  const all = await log.states(ROOM, { from: ORIGIN, to: "z".repeat(20), limit: Infinity });
  for (const [message, items] of all.messages) {
    if (items.some(({ name }) => name[0] === "deleted")) gone.add(message);
  }
  const picture = await readAll(log, 7);
  for (const cursor of gone) {
    const message = picture.messages.get(cursor);
    if (message && (!message.isDeleted || message.text !== "")) wrong(`${cursor} was deleted`);
  }
}

/** Holds what everybody has folded together against the log. */
async function compare(log: KvRoomLog, watchers: readonly Watcher[]): Promise<string[]> {
  const found: string[] = [];
  const truth = await readAll(log, 100);
  const pages = await readAll(log, 3);
  for (const cursor of truth.messages.keys()) {
    const expected = truth.print(cursor);
    if (pages.print(cursor) !== expected) found.push(`pages show ${cursor} otherwise`);
    for (const { user, picture } of watchers) {
      if (!picture.messages.has(cursor)) continue;
      const seen = picture.print(cursor);
      if (seen !== expected) found.push(`${user} sees ${cursor} as ${seen}, not ${expected}`);
    }
  }
  // The newest are known to everybody.
  for (const cursor of [...truth.messages.keys()].slice(-10)) {
    for (const { user, picture } of watchers) {
      if (!picture.messages.has(cursor)) found.push(`${user} has not got ${cursor}`);
    }
  }
  // Nothing is left of what was deleted.
  const records = await log.last(ROOM, { limit: 1e6 });
  for (const { cursor, isErased } of records) {
    if (truth.messages.get(cursor)?.isDeleted && !isErased) found.push(`${cursor} is not erased`);
  }
  return found;
}
