// A model of people who are put out: several hubs over one database and a fan-out that loses, delays,
// repeats and reorders; members who write, come, go and resume; mutes, bans, kicks, what is lifted,
// rooms that are deleted and users that are erased, through whichever hub; hubs that die. What members
// got is held against the control records in the log; afterwards all hubs, and those that start anew,
// say the same of everybody.

import type { Hub, KvRoomLog } from "@hubbub/hub";
import { decodeServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { readPresentPage } from "../../src/hub/present_page.ts";
import type { ControlRecord } from "../../src/store/change.ts";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageOf } from "../../src/store/folded_record.ts";
import { FaultyHubs, untilRight } from "./faulty_hubs.ts";
import { Random } from "./random.ts";
import { pause } from "./test_isolates.ts";

/** The room whose log is read as a whole, and the one that is deleted now and then. */
const ROOM = "lobby";
const HALL = "hall";
const USERS = ["u0", "u1", "u2", "u3", "u4"];

/** What a run came to. */
export interface PeopleAccount {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Envelopes that members got. */
  readonly delivered: number;
  /** Control records in the log of the room that stays. */
  readonly controls: number;
  /** Stays that ended by a ban, a kick, or with their room. */
  readonly putOut: number;
  /** Messages that were refused. */
  readonly refused: number;
  readonly roomsDeleted: number;
  readonly erased: number;
  readonly killed: number;
  readonly dropped: number;
}

/** One stay of a member: from where it was live, and what it got from then on. */
interface Stay {
  readonly from: string;
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly live: string[];
}

/** A device: it keeps what it got, and resumes. */
class Device {
  readonly stays: Stay[] = [];
  /** By cursor, who said what. */
  readonly said = new Map<string, { readonly user: string; text: string }>();
  delivered = 0;
  readonly codes: string[] = [];
  hub: Hub | undefined;
  leave: () => void = () => {};
  #cursor = "";

  constructor(readonly user: string, readonly room: string) {}

  join(hub: Hub): void {
    this.leave();
    this.leave = () => {};
    let isOver = false;
    let stay: Stay | undefined;
    this.hub = hub;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      this.hub = undefined;
    };
    const end = (code: string) => {
      if (!isOver) this.codes.push(code);
      leave();
    };
    const subscription = hub.join(this.room, {
      user: this.user,
      protocol: 2,
      send: (batch) => {
        for (const text of batch.linesV2(this.user).split("\n")) {
          if (isOver || text === "") continue;
          this.delivered++;
          const decoded = decodeServerEnvelopeV2(text);
          if (!decoded.ok) throw new Error(text);
          const { envelope } = decoded;
          if (envelope.type === "user_erased") {
            const { user } = envelope.payload;
            for (const one of this.said.values()) if (one.user === user) one.text = "";
          } else if (envelope.type === "joined") {
            this.stays.push(stay = { from: envelope.payload.cursor, at: Date.now(), live: [] });
          } else if (envelope.type === "chat_message") {
            const { cursor, user, text = "" } = envelope.payload;
            this.said.set(cursor, { user, text });
            if (cursor > this.#cursor) this.#cursor = cursor;
            stay?.live.push(cursor);
          }
        }
      },
      putOut: end,
      refuseJoin: ({ code }) => end(code),
      close: leave,
    }, { after: this.#cursor || undefined, history: 100 });
    this.leave = () => {
      leave();
      this.leave = () => {};
      subscription.leave();
    };
  }
}

/** Runs one seed over a database of its own. */
export async function runPeople(
  seed: number,
  path: string,
  { steps = 200, members = 8 } = {},
): Promise<PeopleAccount> {
  const random = new Random(seed);
  const hubs = new FaultyHubs(path, random);
  const violations: string[] = [];
  const wrong = (what: string) => void violations.push(what);
  const kill = (index: number) => {
    hubs.kill(index, (gone) => {
      for (const device of devices) if (device.hub === gone) device.leave();
    });
  };
  for (let i = 1 + random.below(2); i >= 0; i--) await hubs.start();
  const devices = Array.from({ length: members }, (_, i) => {
    return new Device(USERS[i % USERS.length], i % 4 === 3 ? HALL : ROOM);
  });
  let [said, refused, roomsDeleted, erased, killed] = [0, 0, 0, 0, 0];
  /** What was stored, by room, with its cursor and the user. */
  const stored: { room: string; user: string; cursor: string }[] = [];
  /** By user, how many calls that lift a sanction have begun, and how many have ended. */
  const lifts = new Map<string, { begun: number; ended: number }>(
    USERS.map((user) => [user, { begun: 0, ended: 0 }]),
  );
  const lift = async (hub: Hub, user: string) => {
    lifts.get(user)!.begun++;
    await hub.sanctions.lift(ROOM, user);
    lifts.get(user)!.ended++;
  };
  const say = async (hub: Hub, room: string, user: string) => {
    const result = await hub.publish(room, user, { text: `m${++said}` });
    if (result.status === "refused") refused++;
    else stored.push({ room, user, cursor: result.record.cursor });
    return result.status === "refused" ? result.problem.code : "stored";
  };
  const impose = async (hub: Hub, user: string, kind: "ban" | "kick" | "mute") => {
    const before = { ...lifts.get(user)! };
    const by = random.pick([undefined, "mod"]);
    if (await hub.sanctions.impose(ROOM, { user, kind }, by) || kind === "kick") return;
    const code = await say(hub, ROOM, user);
    // One that is on its way may stand behind it.
    const isLifted = before.begun > before.ended || lifts.get(user)!.begun > before.begun;
    if (code === "stored" && !isLifted) {
      wrong(`${user} writes after a ${kind} that holds`);
    }
  };
  const deleteHall = async (hub: Hub) => {
    const before = stored.filter(({ room }) => room === HALL).map(({ cursor }) => cursor);
    if (await hub.deletions.deleteRoom(HALL)) return;
    roomsDeleted++;
    const { log } = hubs.any();
    const left = new Set((await log.last(HALL, { limit: 1e6 })).map(({ cursor }) => cursor));
    for (const cursor of before) if (left.has(cursor)) wrong(`${cursor} is left of a deleted room`);
  };
  const erase = async (hub: Hub, user: string) => {
    const before = stored.filter((one) => one.user === user);
    for await (const _ of hub.deletions.eraseUser(user)) { /* until it is done */ }
    erased++;
    const { log } = hubs.any();
    for (const room of [ROOM, HALL]) {
      const texts = await readAll(log, room);
      for (const one of before) {
        const isLeft = one.room === room && (texts.get(one.cursor) ?? "") !== "";
        if (isLeft) wrong(`${one.cursor} is left of ${user}, who was erased`);
      }
    }
  };
  for (let step = 0; step < steps; step++) {
    const what = random.next();
    const { hub } = hubs.any();
    const user = random.pick(USERS);
    if (what < 0.4) hubs.run(say(hub, random.chance(0.75) ? ROOM : HALL, user));
    else if (what < 0.68) {
      const device = random.pick(devices);
      if (random.chance(0.2)) device.leave();
      else device.join(hub);
    } else if (what < 0.8) hubs.run(impose(hub, user, random.pick(["ban", "kick", "mute"])));
    else if (what < 0.92) hubs.run(lift(hub, user));
    else if (what < 0.94) hubs.run(deleteHall(hub));
    else if (what < 0.955) hubs.run(erase(hub, user));
    else if (what < 0.975 && hubs.all.length > 1) {
      killed++;
      kill(random.below(hubs.all.length));
      await hubs.start();
    }
    await pause(random.chance(0.3) ? random.below(4) : 0);
  }
  await hubs.calm(5_000);
  const finish = async () => {
    for (const device of devices) if (!device.hub) device.join(hubs.any().hub);
    violations.push(...await untilRight(() => compare(hubs.all, devices)));
  };
  await finish();
  // After a restart it is the same.
  while (hubs.all.length > 0) kill(0);
  await hubs.start();
  await hubs.start();
  await finish();
  const controls = await controlsOf(hubs.all[0].log);
  for (const device of devices) {
    if (device.room === ROOM) violations.push(...findUninvited(device, controls));
  }
  for (const device of devices) device.leave();
  hubs.close();
  const sum = (of: (device: Device) => number) => devices.reduce((all, one) => all + of(one), 0);
  return {
    seed,
    violations,
    delivered: sum(({ delivered }) => delivered),
    controls: controls.length,
    putOut: sum(({ codes }) => codes.length),
    refused,
    roomsDeleted,
    erased,
    killed,
    dropped: hubs.dropped,
  };
}

async function controlsOf(log: KvRoomLog): Promise<ControlRecord[]> {
  const changes = await log.changes(ROOM, ORIGIN, { limit: Infinity });
  return changes.filter((change) => change.kind === "control");
}

/** Finds what a device got that is behind a ban or a kick of its user. */
function findUninvited(
  { user, stays }: Device,
  controls: readonly ControlRecord[],
): string[] {
  const found: string[] = [];
  let bannedFrom: string | undefined;
  for (const { name, value, cursor, at: liftedAt } of controls) {
    if (name !== `ban:${user}` && name !== `kick:${user}`) continue;
    const isBan = name.startsWith("ban:");
    if (value !== null) {
      for (const { from, live } of stays) {
        const last = live.at(-1) ?? "";
        if (from < cursor && last > cursor) {
          found.push(`${user} got ${last} after ${name} ${cursor}`);
        }
      }
    }
    if (!isBan) continue;
    if (value !== null) bannedFrom ??= cursor;
    else if (bannedFrom !== undefined) {
      for (const { from, at } of stays) {
        // A room that is opened knows of a lift that stands behind its cursor already.
        const isEarly = from >= bannedFrom && from < cursor && at < liftedAt;
        if (isEarly) found.push(`${user} came in at ${from}, banned`);
      }
      bannedFrom = undefined;
    }
  }
  for (const { from } of stays) {
    if (bannedFrom !== undefined && from >= bannedFrom) found.push(`${user} came in at ${from}`);
  }
  return found;
}

/** Whether every hub says the same of everybody, and every device has what the log has. */
async function compare(
  hubs: readonly { readonly hub: Hub; readonly log: KvRoomLog }[],
  devices: readonly Device[],
): Promise<string[]> {
  const found: string[] = [];
  const { log } = hubs[0];
  const states = new Set((await log.controls(ROOM)).map(({ name }) => name.join(" ")));
  for (const [index, { hub }] of hubs.entries()) {
    const listed = (await hub.sanctions.list(ROOM)).map(({ kind, user }) => `${kind}:${user}`);
    const expected = [...states].filter((name) => /^(ban|mute):/.test(name));
    if (listed.sort().join() !== expected.sort().join()) {
      found.push(`hub ${index} lists ${listed}, not ${expected}`);
    }
    for (const user of USERS) {
      const code = states.has(`ban:${user}`)
        ? "banned"
        : states.has(`mute:${user}`)
        ? "muted"
        : "stored";
      if (code === "stored") continue;
      const result = await hub.publish(ROOM, user, { text: "may I?" });
      const got = result.status === "refused" ? result.problem.code : "stored";
      if (got !== code) found.push(`hub ${index} says ${got} to ${user}, not ${code}`);
      const ban = await hub.sanctions.banOf(ROOM, user, "member");
      if ((ban !== undefined) !== (code === "banned")) found.push(`hub ${index} lets ${user} in`);
    }
  }
  for (const room of [ROOM, HALL]) {
    const truth = await readAll(log, room);
    for (const device of devices) {
      if (device.room !== room) continue;
      const isOut = room === ROOM && states.has(`ban:${device.user}`);
      if (isOut && device.hub) found.push(`${device.user} is banned, and here`);
      if (!isOut && !device.hub) {
        device.join(hubs[0].hub);
        found.push(`${device.user} is not here`);
      }
      if (isOut) continue;
      for (const [cursor, text] of [...truth].slice(-10)) {
        const got = device.said.get(cursor)?.text;
        if (got !== text) found.push(`${device.user} has ${got} at ${cursor}, not ${text}`);
      }
      for (const [cursor, { text }] of device.said) {
        const expected = truth.get(cursor);
        // In the other room it may be of a room that was deleted: its end was told.
        if (expected === undefined && room === HALL) continue;
        if (text !== expected) found.push(`${device.user} has ${text}, not ${expected}`);
      }
    }
  }
  return found;
}

/** By cursor, what a room says now. */
async function readAll(log: KvRoomLog, room: string): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  for (let after = ORIGIN;;) {
    const page = await readPresentPage(log, room, { after, limit: 100, maxLength: 1e6 });
    for (const record of page.messages) said.set(record.cursor, messageOf(record).text);
    if (page.newer === null) return said;
    after = page.newer;
  }
}
