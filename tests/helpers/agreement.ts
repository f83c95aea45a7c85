// A model of a busy, badly connected hub: several hubs over one database and a fan-out that loses,
// delays, repeats and reorders; members that come, talk, type, go, come back and send again; hubs
// that die. Afterwards everything that anybody saw is held against the log.

import { Hub, KvRoomLog, type Message, type RoomLog } from "@hubbub/hub";
import { decodeServerEnvelope, type ServerEnvelope } from "@hubbub/hub/protocol";
import { ORIGIN } from "../../src/store/cursor.ts";
import { type LogRecord, messageText } from "../../src/store/entry.ts";
import { killHub } from "../../src/hub/hub.ts";
import { type Faults, FaultyChannel } from "./faulty_fanout.ts";
import type { Ground, HubGround } from "./ground.ts";
import { injectFaults } from "./kv_faults.ts";
import { type LineSubscription, MultiRoomLine, shownTo } from "./multi_room_line.ts";
import { Random } from "./random.ts";
import { RestorableStore } from "./restorable_store.ts";
import { duplicatesIn } from "./reference_window.ts";

/** How large a run is. */
export interface Scale {
  readonly hubs: number;
  readonly rooms: number;
  readonly members: number;
  readonly steps: number;
  /** How often the database is put back under its hubs at most. @default {0} */
  readonly restores?: number;
}

/** What a run came to. */
export interface Account {
  readonly seed: number;
  /** What is wrong, each in a line; empty where everything holds. */
  readonly violations: readonly string[];
  /** Messages that stand in the logs. */
  readonly stored: number;
  /** Copies of messages that members got. */
  readonly delivered: number;
  /** Packets that the fan-out lost. */
  readonly dropped: number;
  /** Publishes of the fan-out that threw. */
  readonly thrown: number;
  /** Hubs that died. */
  readonly killed: number;
  /** Times a member resumed. */
  readonly resumed: number;
  /** Messages that were sent again. */
  readonly resent: number;
  /** Repeats that two hubs appended at once, and that were taken out of the log. */
  readonly struck: number;
  /** Commits that were written and whose answer was lost. */
  readonly lost: number;
  /** Commits that the store wrote twice by itself. */
  readonly twice: number;
  /** Times that the database was put back under its hubs. */
  readonly restored: number;
  /** Messages that this took away. */
  readonly takenBack: number;
  /** Stays that were held against a log. */
  readonly checked: number;
}

/** Milliseconds: typing, and signs of life, go faster than in real life, so that runs are short. */
const TYPING_MS = 100;
const HEARTBEAT_MS = 100;
const EXPIRY_MS = 2_000;
/** Milliseconds in which everything must have come right at the end. */
const SETTLE_MS = 60_000;

/** Milliseconds that what a device is sent takes to go out; one of them hardly ever reads. */
const WRITE_MS = [0, 0, 1, 2, 5, 500];

/** What a member saw from one join to the end of that stay. */
interface Stay {
  /** How often the database had been put back when it began, and when its last envelope came. */
  readonly since: number;
  until: number;
  /** Whose it is, where it is one of several on a connection: messages are shorter there. */
  readonly onLineOf: string | undefined;
  readonly after: string | undefined;
  readonly messages: Message[];
  /** How many of the messages came before `joined`. */
  history: number;
  joined: (ServerEnvelope & { type: "joined" })["payload"] | undefined;
  readonly users: Set<string>;
  readonly typing: Set<string>;
}

/** A person's device: it remembers its cursor and what it has not seen confirmed. */
class Device {
  readonly user: string;
  readonly room: string;
  readonly stays: Stay[] = [];
  readonly pending = new Map<string, string>();
  readonly confirmed = new Map<string, Message>();
  /** In the order of sending. */
  readonly sent: string[] = [];
  /** What was sent again from another device, and may have overtaken what was sent before it. */
  readonly astray = new Set<string>();
  readonly violations: string[] = [];
  cursor: string | undefined;
  hub: Hub | undefined;
  subscription: LineSubscription | undefined;
  /** The connection that it shares; undefined where it has one of its own. */
  readonly line: MultiRoomLine | undefined;
  readonly #name: string;
  readonly #writeMs: number;
  /** How often the database has been put back. */
  readonly #epoch: () => number;
  /** Whether commits may fail: who has left by then is not told that a message was not stored. */
  readonly #canFail: boolean;
  readonly #published = new Set<string>();
  /** In which epoch each message was sent first. */
  readonly #saidIn = new Map<string, number>();
  #outAt = 0;

  constructor(
    name: string,
    at: {
      user: string;
      room: string;
      writeMs: number;
      canFail: boolean;
      epoch: () => number;
      line?: MultiRoomLine;
    },
  ) {
    this.#epoch = at.epoch;
    this.#name = name;
    this.#canFail = at.canFail;
    this.line = at.line;
    this.user = at.user;
    this.room = at.room;
    this.#writeMs = at.writeMs;
  }

  join(hub: Hub, resumes: boolean): void {
    this.leave();
    const after = resumes ? this.cursor : undefined;
    const stay: Stay = {
      since: this.#epoch(),
      until: this.#epoch(),
      onLineOf: this.line && this.user,
      after,
      messages: [],
      history: 0,
      joined: undefined,
      users: new Set(),
      typing: new Set(),
    };
    this.stays.push(stay);
    this.subscription = this.line
      ? this.line.join(hub, {
        room: this.room,
        // What was on its way out when it left is still of that stay.
        take: (text) => this.#take(stay, text),
        lost: () => this.leave(),
      }, after)
      : this.#joinAlone(hub, stay);
    // In an instant it may have been lost again.
    if (this.line && this.line.hub !== hub) this.subscription = undefined;
    this.hub = this.subscription && hub;
    // Who begins anew has forgotten what was under way, and may overtake it.
    if (!resumes) {
      for (const ref of this.pending.keys()) this.astray.add(ref);
      this.pending.clear();
    }
  }

  #joinAlone(hub: Hub, stay: Stay): LineSubscription {
    const waitingBytes = () => performance.now() < this.#outAt ? 1 : 0;
    return hub.join(this.room, {
      user: this.user,
      get waitingBytes() {
        return waitingBytes();
      },
      send: (frame) => {
        this.#outAt = performance.now() + this.#writeMs;
        if (this.stays.at(-1) !== stay) return this.#wrong("was sent to after it had left");
        for (const text of frame.envelopes) this.#take(stay, text);
      },
      close: () => this.leave(),
    }, { after: stay.after });
  }

  leave(): void {
    const subscription = this.subscription;
    this.subscription = undefined;
    this.hub = undefined;
    subscription?.leave();
  }

  say(ref: string, text: string): void {
    this.pending.set(ref, text);
    this.#saidIn.set(ref, this.#epoch());
    this.sent.push(ref);
    // What is said before is sent when it has joined, in its turn.
    if (this.stays.at(-1)?.joined) this.#publish(ref, text);
  }

  #publish(ref: string, text: string): void {
    this.#published.add(ref);
    this.subscription?.publish({ text, ref });
  }

  #take(stay: Stay, text: string): void {
    const decoded = decodeServerEnvelope(text);
    if (!decoded.ok) return this.#wrong(`got ${text}`);
    stay.until = this.#epoch();
    const { type, payload } = decoded.envelope;
    switch (type) {
      case "chat_message": {
        stay.messages.push(payload);
        if (!stay.joined) stay.history++;
        if (payload.user !== this.user || payload.ref === undefined) break;
        // Beyond the window a repeat counts as new: the first one is what was confirmed.
        if (!this.confirmed.has(payload.ref)) this.confirmed.set(payload.ref, payload);
        // What was under way while the database was put back may have been overtaken.
        if (this.#saidIn.get(payload.ref) !== this.#epoch()) this.astray.add(payload.ref);
        this.pending.delete(payload.ref);
        break;
      }
      case "joined":
        if (stay.joined) return this.#wrong("was told twice that it joined");
        stay.joined = payload;
        for (const user of payload.users) stay.users.add(user);
        for (const user of payload.typing) stay.typing.add(user);
        this.cursor = payload.cursor;
        // Not before: what was missed may confirm some of it.
        queueMicrotask(() => this.#sendAgain(stay));
        break;
      case "presence":
        if (payload.user === this.user) this.#wrong("was told of its own user");
        if (stay.users.has(payload.user) === (payload.status === "joined")) {
          this.#wrong(`was told twice that ${payload.user} ${payload.status}`);
        }
        if (payload.status === "joined") stay.users.add(payload.user);
        else stay.users.delete(payload.user);
        break;
      case "typing_status":
        if (payload.user === this.user) this.#wrong("was told of its own typing");
        if (payload.status) stay.typing.add(payload.user);
        else stay.typing.delete(payload.user);
        break;
      case "error":
        if (payload.code === "not_stored" || payload.code === "unavailable") {
          this.#sendLater(stay, payload.ref);
        } else if (payload.code !== "draining" && !this.#isOut(payload)) this.#wrong(`got ${text}`);
        break;
      case "draining":
        break;
    }
    // What answers a repeat may be old: it moves nothing.
    if (type === "chat_message" && (this.cursor ?? "") < payload.cursor) {
      this.cursor = payload.cursor;
    }
  }

  /** Whether it left a room that had been closed at the same moment, since its database was put back. */
  #isOut(problem: { readonly code: string; readonly for?: string }): boolean {
    return this.#epoch() > 0 && problem.code === "not_joined" && problem.for === "leave";
  }

  /** Sends again what could not be stored: it may have been, and others may overtake it. */
  #sendLater(stay: Stay, ref: string | undefined): void {
    const text = ref === undefined ? undefined : this.pending.get(ref);
    if (ref === undefined || text === undefined) return;
    this.astray.add(ref);
    setTimeout(() => {
      const isCurrent = this.stays.at(-1) === stay && this.pending.has(ref);
      if (isCurrent) this.subscription?.publish({ text, ref });
    }, 5);
  }

  #sendAgain(stay: Stay): void {
    if (this.stays.at(-1) !== stay) return;
    for (const [ref, text] of this.pending) {
      // The commit that it was in may have failed, and those after it not.
      const mayHaveFailed = this.#canFail || this.#epoch() > 0;
      if (mayHaveFailed && this.#published.has(ref)) this.astray.add(ref);
      this.#publish(ref, text);
    }
  }

  #wrong(what: string): void {
    this.violations.push(`${this.#name} (${this.user} in ${this.room}) ${what}`);
  }
}

/** One run of the model. */
export class Agreement {
  readonly #seed: number;
  readonly #random: Random;
  readonly #scale: Scale;
  /** A database file, and its backups; or real servers. */
  readonly #store: RestorableStore | Ground;
  readonly #channel: FaultyChannel;
  readonly #hubs: { hub: Hub; ground: HubGround }[] = [];
  readonly #devices: Device[] = [];
  readonly #violations: string[] = [];
  readonly #storeFaults: {
    readonly lost: number;
    readonly twice: number;
    readonly failed: number;
    readonly slow: number;
    readonly slowReads: number;
    readonly clocks: boolean;
  };
  /** Whether the store fails now: at the end everything must come right. */
  #isFaulty = true;
  readonly #lines: MultiRoomLine[] = [];
  #lost = 0;
  #twice = 0;
  #killed = 0;
  #resumed = 0;
  #resent = 0;
  #said = 0;
  /** How often the database is still to be put back. */
  #restores: number;
  #takenBack = 0;
  #checked = 0;
  /** Milliseconds that have gone by for all hubs. */
  #goneBy = 0;

  /**
   * @param seed Decides everything that is left to chance, but for what the clock decides.
   * @param scale How large.
   * @param store An empty folder, for the database; or what else to run over.
   */
  constructor(seed: number, scale: Scale, store: string | Ground) {
    this.#seed = seed;
    this.#scale = scale;
    this.#store = typeof store === "string" ? new RestorableStore(store) : store;
    this.#random = new Random(seed);
    const faults: Faults = {
      drop: this.#random.pick([0, 0.05, 0.2, 0.4]),
      repeat: this.#random.pick([0, 0.2]),
      delay: this.#random.pick([0, 0.2, 0.8]),
      delayMaxMs: this.#random.pick([5, 40]),
      throw: this.#random.pick([0, 0.02, 0.3]),
    };
    this.#channel = new FaultyChannel(faults, this.#random);
    this.#storeFaults = {
      lost: this.#random.pick([0, 0, 0.03, 0.1]),
      twice: this.#random.pick([0, 0, 0.03, 0.1]),
      failed: this.#random.pick([0, 0, 0.03]),
      slow: this.#random.pick([0, 0, 0.1]),
      slowReads: this.#random.pick([0, 0, 0.05, 0.2]),
      clocks: this.#random.chance(0.5),
    };
    this.#restores = scale.restores ?? 0;
    // A server that is killed fails commits.
    if (typeof store !== "string") this.#storeFaults = { ...this.#storeFaults, failed: 1 };
  }

  /** Runs it, and checks what everybody saw. */
  async run(): Promise<Account> {
    const { hubs, members, rooms, steps } = this.#scale;
    for (let i = 0; i < hubs; i++) await this.#startHub();
    let line: MultiRoomLine | undefined;
    let [user, writeMs] = ["", 0];
    for (let i = 0; i < members; i++) {
      // Some share a connection, on which each is in another room.
      if (!line || i % rooms === 0) {
        user = `u${this.#random.below(Math.ceil(members * 0.7))}`;
        writeMs = this.#random.pick(WRITE_MS);
        line = i % rooms === 0 && this.#random.chance(0.4)
          ? new MultiRoomLine(user, writeMs)
          : undefined;
        if (line) this.#lines.push(line);
      }
      const room = `room${i % rooms}`;
      const canFail = this.#storeFaults.failed > 0;
      const epoch = () => this.#store.epoch;
      const device = new Device(`device ${i}`, { user, room, writeMs, line, canFail, epoch });
      this.#devices.push(device);
      device.join(this.#hubFor(device), false);
    }
    for (let step = 0; step < steps; step++) await this.#step();
    this.#isFaulty = false;
    await this.#settle();
    const logs = await this.#check();
    const records = [...logs.values()].flat();
    for (const line of this.#lines) line.close();
    for (const { hub, ground } of this.#hubs) {
      killHub(hub);
      await ground.close();
    }
    if (this.#store instanceof RestorableStore) this.#store.close();
    this.#channel.close();
    const stays = this.#devices.flatMap((device) => device.stays);
    return {
      seed: this.#seed,
      violations: [...this.#violations, ...this.#devices.flatMap(({ violations }) => violations)],
      stored: records.filter((record) => !record.repeats).length,
      delivered: stays.reduce((sum, { messages }) => sum + messages.length, 0),
      dropped: this.#channel.dropped,
      thrown: this.#channel.thrown,
      killed: this.#killed,
      resumed: this.#resumed,
      resent: this.#resent,
      struck: records.filter((record) => record.repeats).length,
      lost: this.#lost,
      twice: this.#twice,
      restored: this.#store.epoch,
      takenBack: this.#takenBack,
      checked: this.#checked,
    };
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const device = random.pick(this.#devices);
    const what = random.next();
    if (!device.subscription) this.#comeBack(device);
    else if (what < 0.6) {
      for (let i = random.below(4); i >= 0; i--) this.#say(device);
    } else if (what < 0.72) device.subscription.typing(random.chance(0.7));
    else if (what < 0.8) device.leave();
    else if (what < 0.9) this.#comeBack(device);
    else if (what < 0.97) this.#repeat(device);
    else if (what < 0.98) await this.#replaceHub();
    else if (what < 0.983) this.#goneBy += random.below(100_000);
    else if (!(this.#store instanceof RestorableStore)) await this.#store.disturb(random);
    else if (this.#restores > 0) await this.#putBack(this.#store);
    await pause(random.chance(0.3) ? random.below(4) : 0);
  }

  #say(device: Device): void {
    device.say(`r${++this.#said}`, `message ${this.#said}`);
  }

  #comeBack(device: Device): void {
    const resumes = device.cursor !== undefined && !this.#random.chance(0.1);
    if (resumes) this.#resumed++;
    this.#resent += resumes ? device.pending.size : 0;
    // The connection of several ends now and then, and all of them come back.
    if (this.#isFaulty && this.#random.chance(0.1)) device.line?.close();
    device.join(this.#hubFor(device), resumes);
  }

  /** Sends something again that may have been stored: from another tab, through another hub. */
  #repeat(device: Device): void {
    // Mostly one of the last; it may be long ago.
    const ago = this.#random.chance(0.8) ? 3 : device.sent.length + 1;
    const ref = device.sent.at(-1 - this.#random.below(ago));
    if (ref === undefined) return;
    const text = device.pending.get(ref) ?? device.confirmed.get(ref)?.text;
    if (text === undefined) return;
    this.#resent++;
    const others = this.#devices.filter(({ user, room, subscription }) => {
      return subscription && user === device.user && room === device.room;
    });
    device.astray.add(ref);
    for (const { subscription } of others) subscription?.publish({ text, ref });
  }

  /** Makes a backup now and then, and puts it back some time later. */
  async #putBack(store: RestorableStore): Promise<void> {
    if (this.#random.chance(0.5)) await store.backUp();
    else if (await store.restore(this.#random.chance(0.5))) this.#restores--;
  }

  async #replaceHub(): Promise<void> {
    const [{ hub, ground }] = this.#hubs.splice(this.#random.below(this.#hubs.length), 1);
    const isGraceful = this.#random.chance(0.3);
    if (isGraceful) await hub.drain();
    else {
      killHub(hub);
      this.#killed++;
    }
    for (const device of this.#devices) if (device.hub === hub) device.leave();
    await ground.close();
    await this.#startHub();
  }

  async #startHub(): Promise<void> {
    const ground = await this.#open();
    const hub = new Hub(ground.log, {
      now: this.#createClock(),
      fanout: ground.fanout,
      commitInTurn: this.#store instanceof RestorableStore,
      heartbeatMs: HEARTBEAT_MS,
      expiryMs: EXPIRY_MS,
      limits: { typing_timeout_ms: TYPING_MS, messages_per_second: 0 },
      // A hub whose database is closed under it, as by a kill, says so; that is not the subject. But
      // that a logger which throws changes nothing is.
      logger: () => {
        throw new Error("Nobody can write this down");
      },
    });
    this.#hubs.push({ hub, ground });
  }

  async #open(): Promise<HubGround> {
    if (!(this.#store instanceof RestorableStore)) return await this.#store.open();
    const kv = await this.#store.open((kv) => this.#injectFaults(kv));
    const [log, fanout] = [new KvRoomLog(kv), this.#channel.connect()];
    return { log, fanout, close: () => Promise.resolve(kv.close()) };
  }

  /** Lets the store lose answers, write twice, fail and be slow, as a remote one does. */
  #injectFaults(kv: Deno.Kv): void {
    const faults = injectFaults(kv);
    const random = this.#random;
    const { lost, twice, failed, slow, slowReads } = this.#storeFaults;
    faults.commit = async (commit) => {
      if (!this.#isFaulty) return await commit();
      if (random.chance(failed)) throw new Error("disk I/O error");
      if (random.chance(slow)) await pause(random.below(20));
      let result = await commit();
      if (random.chance(twice)) {
        this.#twice++;
        result = await commit();
      }
      if (!random.chance(lost)) return result;
      this.#lost++;
      throw new Error("connection lost");
    };
    faults.read = async () => {
      if (!this.#isFaulty) return;
      if (random.chance(failed / 10)) throw new Error("disk I/O error");
      if (random.chance(slowReads)) await pause(random.below(40));
    };
  }

  /** The clock of a hub: it differs from others', and jumps where clocks do. */
  #createClock(): () => number {
    const random = this.#random;
    if (!this.#storeFaults.clocks) return () => Date.now() + this.#goneBy;
    let offset = random.pick([0, 0, -90_000, 90_000, 3_600_000]);
    return () => {
      if (random.chance(0.01)) offset += random.pick([-600_000, -60_000, 60_000, 600_000]);
      return Date.now() + this.#goneBy + offset;
    };
  }

  /** The hub that a device connects to, or is connected to with its other rooms. */
  #hubFor({ line }: Device): Hub {
    const connected = this.#hubs.find(({ hub }) => hub === line?.hub);
    return connected?.hub ?? this.#anyHub();
  }

  #anyHub(): Hub {
    return this.#random.pick(this.#hubs).hub;
  }

  /** Waits until every device knows everything, or until it should have. */
  async #settle(): Promise<void> {
    for (const device of this.#devices) if (!device.subscription) this.#comeBack(device);
    const until = performance.now() + SETTLE_MS;
    while (performance.now() < until) {
      await pause(50);
      for (const device of this.#devices) {
        // A device whose messages were under way when its hub died sends them again.
        if (!device.subscription) this.#comeBack(device);
      }
      if ((await this.#unsettled()).length === 0) return;
    }
    this.#violations.push(...await this.#unsettled());
  }

  async #unsettled(): Promise<string[]> {
    const found: string[] = [];
    const log = this.#hubs[0].ground.log;
    for (let i = 0; i < this.#scale.rooms; i++) {
      const records = await log.after(`room${i}`, ORIGIN, { limit: Infinity });
      found.push(...repeatsIn(`room${i}`, records, this.#store.epoch > 0));
    }
    for (const device of this.#devices) {
      const name = `${device.user} in ${device.room}`;
      const stay = device.stays.at(-1)!;
      if (!stay.joined) {
        found.push(`${name} never joined`);
        continue;
      }
      if (device.pending.size > 0) found.push(`${name} waits for ${[...device.pending.keys()]}`);
      const present = this.#devices.filter(({ room }) => room === device.room);
      const users = [...new Set(present.map(({ user }) => user))].sort();
      const seen = [...stay.users].sort();
      if (seen.join() !== users.join()) found.push(`${name} sees ${seen}, here are ${users}`);
      if (stay.typing.size > 0) found.push(`${name} still sees ${[...stay.typing]} typing`);
      if (device.cursor! < await shownHead(log, device.room)) found.push(`${name} is behind`);
      else if (this.#store.epoch > 0 && !await log.has(device.room, device.cursor!)) {
        found.push(`${name} stands at ${device.cursor}, which a restore took away`);
      }
    }
    return found;
  }

  /** Holds everything against the logs, and returns them as they stand at the end. */
  async #check(): Promise<Map<string, LogRecord[]>> {
    const epochs: Epoch[] = [];
    const store = this.#store;
    if (store instanceof RestorableStore) {
      for (let epoch = 0; epoch <= store.epoch; epoch++) {
        const basePath = store.basePath(epoch);
        const base = basePath === undefined ? new Map() : await this.#readFile(basePath);
        epochs.push({ base, logs: await this.#readFile(store.path(epoch)) });
      }
    } else {
      const logs = await this.#readLogs(this.#hubs[0].ground.log);
      epochs.push({ base: new Map(), logs });
    }
    for (let i = 0; i < this.#scale.rooms; i++) this.#checkRoom(`room${i}`, epochs);
    return epochs.at(-1)!.logs;
  }

  async #readFile(path: string): Promise<Map<string, LogRecord[]>> {
    using kv = await Deno.openKv(path);
    return await this.#readLogs(new KvRoomLog(kv));
  }

  async #readLogs(log: RoomLog): Promise<Map<string, LogRecord[]>> {
    const logs = new Map<string, LogRecord[]>();
    for (let i = 0; i < this.#scale.rooms; i++) {
      logs.set(`room${i}`, await log.after(`room${i}`, ORIGIN, { limit: Infinity }));
    }
    return logs;
  }

  #checkRoom(room: string, epochs: readonly Epoch[]): void {
    const wrong = (what: string) => this.#violations.push(what);
    const logs = epochs.map(({ logs }) => new RoomHistory(logs.get(room)!));
    const bases = epochs.map(({ base }) => new RoomHistory(base.get(room) ?? []));
    const last = logs.at(-1)!;
    const isIn = ({ id, cursor }: Message, log: RoomHistory) =>
      id === "" ? log.places.has(cursor) : log.ids.has(id);
    // What a restore took away was there before, and not in what was put back.
    const isTaken = (message: Message) =>
      bases.slice(1).some((base, index) => isIn(message, logs[index]) && !isIn(message, base));
    for (const { shown } of logs.slice(0, -1)) {
      this.#takenBack += shown.filter(({ id }) => !last.ids.has(id)).length;
    }
    for (const device of this.#devices.filter((device) => device.room === room)) {
      for (const message of device.confirmed.values()) {
        if (isIn(message, last) || isTaken(message)) continue;
        wrong(`${room} lost ${message.ref} (${message.id || message.cursor})`);
      }
      const mine = device.sent.filter((ref) => {
        const message = device.confirmed.get(ref);
        return message && !device.astray.has(ref) && isIn(message, last);
      });
      const cursors = mine.map((ref) => device.confirmed.get(ref)!.cursor);
      cursors.forEach((cursor, i) => {
        if (cursor >= (cursors[i - 1] ?? "")) return;
        wrong(`${room} has ${mine[i]} of ${device.user} before ${mine[i - 1]}`);
      });
      this.#checked += device.stays.length;
      device.stays.forEach((stay, index) => {
        // Until a hub notices that the database was put back, it is of the time before; at the end
        // all have noticed.
        const isLast = index === device.stays.length - 1;
        const times = isLast ? [last] : logs.slice(0, stay.until + 1);
        const tries = times.map((log, epoch) => {
          // Of a place that a later restore takes away a hub may say already that it is unknown.
          const isDoomed = log !== last &&
            bases.slice(epoch + 1).some(({ cursors }) => !cursors.has(stay.after ?? ORIGIN));
          return checkStay(stay, log, { isDoomed, wasRestored: logs.length > 1 });
        });
        if (tries.some((found) => found.length === 0)) return;
        const until = `${stay.since} to ${stay.until} of ${logs.length - 1}`;
        // Most likely it is of the time that it fits best.
        const best = tries.reduce((one, other) => other.length < one.length ? other : one);
        for (const what of best) {
          wrong(`${device.user} in ${room}, stay ${index} (${until}): ${what}`);
        }
      });
    }
  }
}

/** The logs of the time between two restores. */
interface Epoch {
  /** As they were put back. */
  readonly base: ReadonlyMap<string, LogRecord[]>;
  /** As they were at the end of it. */
  readonly logs: Map<string, LogRecord[]>;
}

/** The log of a room, ready to be held against what somebody saw. */
class RoomHistory {
  readonly shown: readonly LogRecord[];
  readonly texts: readonly string[];
  /** By cursor, its place among what is shown. */
  readonly places: ReadonlyMap<string, number>;
  readonly ids: ReadonlySet<string>;
  /** Those of duplicates too. */
  readonly cursors: ReadonlySet<string>;
  /** By the cursor of a duplicate, how far behind the first it stands. */
  readonly struck: ReadonlyMap<string, string>;

  constructor(readonly records: readonly LogRecord[]) {
    // The tombstones of the time before a restore may never have been written.
    const repeats = duplicatesIn(records.map(keyOf));
    this.shown = records.filter((record, index) => !record.repeats && !repeats[index]);
    this.texts = this.shown.map(messageText);
    this.places = new Map(this.shown.map(({ cursor }, index) => [cursor, index]));
    this.ids = new Set(this.shown.map(({ id }) => id));
    this.cursors = new Set([ORIGIN, ...records.map(({ cursor }) => cursor)]);
    const indexes = new Map(records.map(({ cursor }, index) => [cursor, index]));
    this.struck = new Map(records.flatMap(({ cursor, repeats }, index) => {
      if (repeats === undefined) return [];
      return [[cursor, `repeats what is ${index - (indexes.get(repeats) ?? NaN)} records before`]];
    }));
  }
}

/** Holds what a member saw in one stay against the log. */
function checkStay(
  stay: Stay,
  { cursors, texts, places, shown, struck }: RoomHistory,
  { isDoomed, wasRestored }: { readonly isDoomed: boolean; readonly wasRestored: boolean },
): string[] {
  const { joined } = stay;
  // A backup may hold repeats that were not struck out yet: a window of later does not know them.
  let repeats = 0;
  const wrong: string[] = [];
  const run: number[] = [];
  const isKnown = stay.after !== undefined && cursors.has(stay.after);
  const after = isKnown && !(isDoomed && joined?.recovered === false) ? stay.after : undefined;
  let position = stay.after ?? "";
  for (const [index, message] of stay.messages.entries()) {
    const place = places.get(message.cursor);
    if (place === undefined) {
      const what = struck.get(message.cursor);
      if (wasRestored && what !== undefined && index < stay.history) {
        repeats++;
        continue;
      }
      const how = what === undefined ? "which the log has not" : `which ${what}`;
      const when = index < stay.history ? "before joined" : `${index - stay.history} after joined`;
      wrong.push(`got ${message.cursor}, ${how}, ${when} at ${joined?.cursor}`);
      continue;
    }
    const stored: Message = JSON.parse(texts[place]);
    const expected = stay.onLineOf === undefined ? stored : shownTo(stay.onLineOf, stored);
    if (JSON.stringify(message) !== JSON.stringify(expected)) {
      wrong.push(`got ${message.cursor} otherwise than stored`);
    }
    if (index === stay.history && joined) position = joined.cursor;
    // The answer to a repeat is behind, which is how a client knows it.
    if (index >= stay.history && message.cursor <= position && message.ref !== undefined) continue;
    const last = run.at(-1);
    if (last !== undefined && place !== last + 1) {
      wrong.push(`got place ${place} after place ${last} (${message.cursor})`);
    }
    run.push(place);
    position = message.cursor;
  }
  if (!joined) return wrong;
  const before = shown.filter(({ cursor }) => cursor <= joined.cursor).length;
  const recovered = stay.after === undefined || after !== undefined;
  if (joined.recovered !== recovered) {
    wrong.push(`${recovered ? "did not recover" : "recovered"} from ${stay.after}`);
  }
  const first = after === undefined
    ? Math.max(0, before - 10)
    : shown.findIndex(({ cursor }) => cursor > after);
  if (run.length > 0 && first !== run[0]) wrong.push(`began at ${run[0]} instead of ${first}`);
  const history = Math.max(0, before - (first === -1 ? before : first));
  const got = stay.history - repeats;
  if (got !== history) wrong.push(`got ${got} of ${history} before "joined"`);
  return wrong;
}

/**
 * What was struck out although it repeats nothing, or was not although it does: a backup may hold what
 * was about to be struck out, and by the time that it is put back no window may reach that far.
 */
function repeatsIn(
  room: string,
  records: readonly LogRecord[],
  wasRestored: boolean,
): string[] {
  const wrong: string[] = [];
  duplicatesIn(records.map(keyOf)).forEach((isRepeat, index) => {
    const { user, ref, id, repeats } = records[index];
    if (isRepeat && !repeats && !wasRestored) {
      wrong.push(`${room} holds ${ref} of ${user} twice: ${id}`);
    }
    if (!isRepeat && repeats) wrong.push(`${room} lost ${ref} of ${user} as a repeat: ${id}`);
  });
  return wrong;
}

/** What the window knows a record by, and when. */
function keyOf({ id, ref, sentAt, user }: LogRecord): { key: string; sentAt: number } {
  return { key: ref === undefined ? id : `${user} ${ref}`, sentAt: Date.parse(sentAt) };
}

async function shownHead(log: RoomLog, room: string): Promise<string> {
  const [newest] = await log.last(room, { limit: 1, shownOnly: true });
  return newest?.cursor ?? ORIGIN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
