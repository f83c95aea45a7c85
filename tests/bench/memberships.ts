// The same memberships on many connections and on few: messages a second, and what they cost.
//
//   deno task memberships [--forms v1,v2,socketio] [--rooms 300] [--each 30] [--members 3]
//       [--flight 1] [--rate 0] [--seconds 4] [--rounds 3]
//
// Each room has so many members, and each user is in `each` rooms: 30 users and 900 memberships.
// In `v1` each membership is a connection of its own (hubbub.v1.lines), in `v2` each user has one
// (hubbub.v2), and in `socketio` too, beside which nothing is stored. Each room has so many messages
// in flight; with --rate so many messages a second are sent in all instead. The server gets
// processor 0; its CPU time and memory are read from /proc. Rounds go in turn; medians are printed.
// Socket.IO is installed by npm, into PEERS_HOME.

import { parseArgs } from "node:util";
import { tmpdir } from "node:os";
import { PROTOCOL_V1_LINES, PROTOCOL_V2 } from "@hubbub/hub/protocol";
import { median } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { Peers } from "./peers.ts";

const PATIENCE_MS = 60_000;
/** Milliseconds before anything is measured: code gets compiled. */
const WARM_UP_MS = 2_000;
const TEXT = "hello everyone in this room";

const { values } = parseArgs({
  options: {
    forms: { type: "string", default: "v1,v2,socketio" },
    rooms: { type: "string", default: "300" },
    each: { type: "string", default: "30" },
    members: { type: "string", default: "3" },
    flight: { type: "string", default: "1" },
    rate: { type: "string", default: "0" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
  },
});
const [rooms, each, members, flight, rate, seconds, rounds] = [
  values.rooms,
  values.each,
  values.members,
  values.flight,
  values.rate,
  values.seconds,
  values.rounds,
].map(Number);
if (rooms % each !== 0) throw new RangeError(`Cannot put ${rooms} rooms into groups of ${each}`);

/** A way to have memberships. */
interface Form {
  /** How many rooms a connection has. */
  readonly roomsEach: number;
  readonly protocol?: string;
  readonly start: () => Promise<LoadedServer>;
  /** The path of a connection of a user. */
  readonly path: (user: number, rooms: readonly number[]) => string;
  /** What is sent once it is open. */
  readonly hello?: (rooms: readonly number[]) => string;
  /** Appears once for each room that it has joined. */
  readonly joined: string;
  readonly message: (room: number, text: string) => string;
}

const hub = () => LoadedServer.startHub({ processors: "0" });

const FORMS: Readonly<Record<string, Form>> = {
  v1: {
    roomsEach: 1,
    protocol: PROTOCOL_V1_LINES,
    start: hub,
    // A user has only so many connections.
    path: (user, [room]) => `/rooms/room${room}/ws?user=u${user}-${room}`,
    joined: '"type":"joined"',
    message: (_, text) => JSON.stringify({ type: "chat_message", payload: { text } }),
  },
  v2: {
    roomsEach: each,
    protocol: PROTOCOL_V2,
    start: hub,
    path: (user) => `/ws?user=u${user}`,
    hello: (rooms) => {
      return rooms.map((room) => JSON.stringify({ type: "join", room: `room${room}` })).join("\n");
    },
    joined: '"type":"joined"',
    message: (room, text) => {
      return JSON.stringify({ type: "chat_message", room: `room${room}`, payload: { text } });
    },
  },
  socketio: {
    roomsEach: each,
    start: async () => {
      const home = Deno.env.get("PEERS_HOME") ?? `${tmpdir()}/hubbub-peers`;
      const peers = await Peers.install(["socketio"], {
        home,
        onMissing: (_, error) => {
          throw error;
        },
      });
      return await peers.start("socketio", "0");
    },
    path: (_, rooms) => `/socket.io/?EIO=4&transport=websocket&room=${rooms.join()}`,
    hello: () => "40",
    // Its rooms are joined with the connection.
    joined: '40{"sid"',
    message: (room, text) => `42${JSON.stringify(["msg", text, String(room)])}`,
  },
};

/** What was measured of one server. */
interface Figures {
  readonly messages_per_s: number;
  readonly cpu_us_per_message: number;
  readonly rss_mib: number;
  readonly p50_ms: number;
}

/** Runs one server under the load. */
async function measure(form: Form): Promise<Figures> {
  await using server = await form.start();
  const sockets: WebSocket[] = [];
  const sentAt = new Map<number, number[]>();
  const senderOf = new Map<number, WebSocket>();
  let [delivered, joins, isLoading, next] = [0, 0, true, 0];
  const latencies: number[] = [];
  const say = (room: number) => {
    const at = sentAt.get(room) ?? [];
    sentAt.set(room, at);
    at.push(performance.now());
    senderOf.get(room)!.send(form.message(room, `~${room}| ${TEXT}`));
  };
  const receive = (socket: WebSocket, text: string) => {
    for (let at = text.indexOf("~"); at >= 0; at = text.indexOf("~", at + 1)) {
      delivered++;
      const room = parseInt(text.slice(at + 1, at + 8));
      if (senderOf.get(room) !== socket) continue;
      latencies.push(performance.now() - sentAt.get(room)!.shift()!);
      if (isLoading && rate === 0) say(room);
    }
  };
  const open = (user: number, joining: readonly number[]): Promise<WebSocket> => {
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    const url = `ws://127.0.0.1:${server.port}${form.path(user, joining)}`;
    const socket = new WebSocket(url, form.protocol === undefined ? [] : [form.protocol]);
    let left = form.joined.startsWith("40") ? 1 : joining.length;
    socket.onopen = () => form.hello && socket.send(form.hello(joining));
    socket.onclose = ({ code, reason }) => reject(new Error(`It was closed: ${code} ${reason}`));
    socket.onmessage = ({ data }) => {
      if (left === 0) return receive(socket, data);
      left -= data.split(form.joined).length - 1;
      if (left > 0) return;
      joins += joining.length;
      resolve(socket);
    };
    sockets.push(socket);
    return promise;
  };
  const groups = rooms / each;
  for (let user = 0; user < groups * members; user++) {
    const first = Math.floor(user / members) * each;
    const own = Array.from({ length: each }, (_, n) => first + n);
    for (let at = 0; at < each; at += form.roomsEach) {
      const joining = own.slice(at, at + form.roomsEach);
      const socket = await open(user, joining);
      // Each member sends to some of its rooms.
      for (const room of joining) if (room % members === user % members) senderOf.set(room, socket);
    }
  }
  if (joins !== rooms * members) throw new Error(`${joins} memberships`);
  await pause(500);
  const rssMib = await rssOf(server.session) / 1024;
  let timer: ReturnType<typeof setInterval> | undefined;
  if (rate === 0) {
    for (let room = 0; room < rooms; room++) for (let i = 0; i < flight; i++) say(room);
  } else {
    const startedAt = performance.now();
    let sent = 0;
    timer = setInterval(() => {
      const due = (performance.now() - startedAt) * rate / 1000;
      for (; sent < due; sent++) say(next++ % rooms);
    }, 5);
  }
  await pause(WARM_UP_MS);
  latencies.length = 0;
  const before = [delivered, performance.now(), await cpuMsOf(server.session)];
  await pause(seconds * 1000);
  const after = [delivered, performance.now(), await cpuMsOf(server.session)];
  isLoading = false;
  clearInterval(timer);
  const [deliveries, ms, cpuMs] = after.map((value, index) => value - before[index]);
  const p50 = median(latencies);
  // Each message came to each member.
  const until = performance.now() + PATIENCE_MS;
  const isWaiting = () => [...sentAt.values()].some(({ length }) => length > 0);
  while (isWaiting() && performance.now() < until) await pause(20);
  if (isWaiting()) throw new Error("Some messages never came");
  for (const socket of sockets) {
    socket.onclose = null;
    socket.close();
  }
  const messages = deliveries / members;
  return {
    messages_per_s: messages * 1000 / ms,
    cpu_us_per_message: cpuMs * 1000 / messages,
    rss_mib: rssMib,
    p50_ms: p50,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Milliseconds of processor that a process has had. */
async function cpuMsOf(pid: number): Promise<number> {
  const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** KiB of a process that are in memory. */
async function rssOf(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/status`)).match(/VmRSS:\s+(\d+)/)![1]);
}

const names = values.forms.split(",");
const results = new Map(names.map((name) => [name, [] as Figures[]]));
console.log(machineLine(await describeMachine()));
const load = rate > 0 ? `${rate} messages a second` : `${flight} in flight a room`;
console.log(
  `${rooms * members} memberships: ${rooms} rooms of ${members}, ${each} a user; ${load}; ` +
    `medians of ${rounds} rounds`,
);
for (let round = 0; round < rounds; round++) {
  for (const name of names) results.get(name)!.push(await measure(FORMS[name]));
}
console.table(Object.fromEntries([...results].map(([name, figures]) => {
  const connections = rooms * members / FORMS[name].roomsEach;
  const medians = Object.keys(figures[0]).map((key) => {
    const value = median(figures.map((each) => each[key as keyof Figures]));
    return [key, Number(value.toPrecision(4))];
  });
  return [name, { connections, ...Object.fromEntries(medians) }];
})));
