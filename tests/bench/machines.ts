// How many messages a second one, two and three processes over one PostgreSQL take, and how long one
// takes to a member of the same process and to one of another:
//   deno task bench:machines [--processes 1,2,3] [--seconds 5] [--no-nats]
// The servers are started for it, on this machine, with everything as it is by default (fsync on).

import { parseArgs } from "node:util";
import { startMachine } from "../helpers/machines.ts";
import { NatsServer } from "../helpers/nats_server.ts";
import { PostgresServer } from "../helpers/postgres_server.ts";

const LIMITS = {
  HUBBUB_MESSAGES_PER_SECOND: "0",
  HUBBUB_MAX_CONNECTIONS_PER_USER: "0",
};

/** A member that sends the next message when it has got its last one. */
class Sender {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  stored = 0;
  #isOn = true;

  constructor(url: string, room: string, user: string, text: string) {
    this.socket = new WebSocket(
      `${url.replace("http", "ws")}/rooms/${room}/ws?user=${user}&history=0`,
    );
    const opened = Promise.withResolvers<void>();
    this.opened = opened.promise;
    const mine = `"user":"${user}"`;
    this.socket.onmessage = ({ data }) => {
      if (String(data).includes('"type":"joined"')) return opened.resolve();
      if (!String(data).includes('"type":"chat_message"') || !String(data).includes(mine)) return;
      this.stored++;
      if (this.#isOn) this.say(text);
    };
    this.socket.onerror = () => opened.reject(new Error(`${user} could not join`));
  }

  say(text: string): void {
    this.socket.send(JSON.stringify({ type: "chat_message", payload: { text } }));
  }

  stop(): void {
    this.#isOn = false;
  }
}

/** Messages a second that all senders together get stored. */
async function throughput(
  urls: readonly string[],
  options: { rooms: number; senders: number; flight: number; seconds: number },
): Promise<number> {
  const senders = Array.from({ length: options.senders }, (_, index) => {
    const room = `room${index % options.rooms}`;
    return new Sender(urls[index % urls.length], room, `sender${index}`, "x".repeat(28));
  });
  await Promise.all(senders.map(({ opened }) => opened));
  for (const sender of senders) {
    for (let i = 0; i < options.flight; i++) sender.say("x".repeat(28));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = senders.reduce((sum, { stored }) => sum + stored, 0);
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1_000));
  const after = senders.reduce((sum, { stored }) => sum + stored, 0);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const sender of senders) {
    sender.stop();
    sender.socket.close();
  }
  return (after - before) / seconds;
}

/** The median time in milliseconds from sending to a member of each process, in a quiet room. */
async function latency(urls: readonly string[]): Promise<number[]> {
  const [sender, ...members] = [urls[0], ...urls].map((url, index) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/rooms/quiet/ws?user=quiet${index}`);
    let got: (at: number) => void = () => {};
    const joined = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        if (String(data).includes('"type":"joined"')) resolve();
        if (String(data).includes('"type":"chat_message"')) got(performance.now());
      };
    });
    return { socket, joined, next: () => new Promise<number>((resolve) => got = resolve) };
  });
  await Promise.all([sender, ...members].map(({ joined }) => joined));
  const times = members.map((): number[] => []);
  for (let round = 0; round < 200; round++) {
    const coming = members.map(({ next }) => next());
    const sentAt = performance.now();
    sender.socket.send(JSON.stringify({ type: "chat_message", payload: { text: `${round}` } }));
    (await Promise.all(coming)).forEach((at, index) => times[index].push(at - sentAt));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const { socket } of [sender, ...members]) socket.close();
  return times.map((all) => all.sort((a, b) => a - b)[all.length >> 1]);
}

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "1,2,3" },
    seconds: { type: "string", default: "5" },
    "no-nats": { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
await using postgres = await PostgresServer.start();
await using nats = values["no-nats"] ? undefined : await NatsServer.start();
console.log(
  `Messages of 28 characters, ${seconds} s: 6 senders with 64 in flight in one room; then`,
);
console.log("1,000 senders with one in flight, each in a room of its own");
console.log("processes  one room/s  1,000 rooms/s  p50 own, ms  p50 others, ms");
for (const count of values.processes.split(",").map(Number)) {
  const shared = { postgres: await postgres.createDatabase(), nats: nats?.url };
  const machines = await Promise.all(
    Array.from({ length: count }, () => startMachine(shared, LIMITS)),
  );
  const urls = machines.map(({ url }) => url);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const [own, ...others] = await latency(urls);
  const one = await throughput(urls, { rooms: 1, senders: 6, flight: 64, seconds });
  const many = await throughput(urls, { rooms: 1_000, senders: 1_000, flight: 1, seconds });
  const shown = others.map((ms) => ms.toFixed(2)).join(", ") || "-";
  console.log([count, Math.round(one), Math.round(many), own.toFixed(2), shown].join("\t"));
  await Promise.all(machines.map((machine) => machine.stop("SIGTERM")));
}
