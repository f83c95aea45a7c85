import { OPCODES, type RawSocket } from "../../helpers/raw_socket.ts";
import { pick, type Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms that a connection of protocol 2 may be in. */
const ROOMS = 200;
/** Milliseconds between two joins of a connection: as fast as it may in the long run. */
const JOIN_MS = 50;
/** Rooms that are filled, and messages in each of them. */
const FILLED_ROOMS = 4;
const FILLED_WITH = 250;

/** An envelope of protocol 2. */
function envelopeIn(room: string, type: string, payload: unknown = {}): string {
  return JSON.stringify({ type, room, payload });
}

/** Joins of the first so many rooms of a name. */
function joinsOf(name: string, payload: unknown = {}, count = ROOMS): string {
  return Array.from({ length: count }, (_, i) => envelopeIn(`${name}-${i}`, "join", payload)).join(
    "\n",
  );
}

/** Says something until it is over or the hub has cut it off. */
async function talk(
  target: Target,
  socket: RawSocket,
  pauseMs: number,
  next: (step: number) => string,
): Promise<void> {
  let isCut = false;
  const reading = socket.end().catch(() => {}).finally(() => isCut = true);
  try {
    for (let step = 0; !target.isOver && !isCut; step++) {
      const text = next(step);
      await target.upload(text.length);
      await socket.send(OPCODES.text, text);
      await target.rest(pauseMs);
    }
    await socket.send(OPCODES.close);
  } catch {
    // It was cut in the middle.
  }
  await Promise.race([reading, target.rest(5_000)]);
}

/** Joins 200 rooms and leaves them, again and again, with all the history there is. */
export async function roomLoops(target: Target): Promise<void> {
  for (let i = 0; i < 60 && !target.isOver; i++) {
    if (await target.post(`loop-${i % 20}`, longest(), `writer ${i}`) === 429) {
      await target.rest(200);
    }
  }
  await target.repeat("room loop", { times: 60, pauseMs: 500 }, async (index) => {
    using socket = await target.enterRooms(`looper ${index}`);
    await talk(target, socket, JOIN_MS, (step) => {
      const room = `loop-${step % ROOMS}`;
      const join = envelopeIn(room, "join", { history: 100 });
      return `${join}\n${envelopeIn(room, "leave")}`;
    });
  });
}

/** Joins rooms full of long messages and leaves them at once: where nobody is, each is read back. */
export async function reopeners(target: Target): Promise<void> {
  await target.repeat("filled room", { times: FILLED_ROOMS }, async (index) => {
    const room = `reopened-${index}`;
    for (let i = 0; i < FILLED_WITH && !target.isOver; i++) {
      if (await target.post(room, longest(), `writer ${i % 20} ${index}`) === 429) {
        await target.rest(100);
      }
    }
    const frame = `${envelopeIn(room, "join", { history: 0 })}\n${envelopeIn(room, "leave")}`;
    await target.repeat("reopener", { times: 15, pauseMs: 500 }, async (user) => {
      using socket = await target.enterRooms(`reopener ${index} ${user}`);
      await talk(target, socket, JOIN_MS, () => frame);
    });
  });
}

/** Stays in as many rooms as there may be, all of them new and nobody else's. */
export async function newRooms(target: Target): Promise<void> {
  await target.repeat("connection in new rooms", { times: 150, pauseMs: 500 }, async (index) => {
    using socket = await target.enterRooms(`settler ${index}`);
    const name = crypto.randomUUID();
    await socket.send(OPCODES.text, joinsOf(name));
    await Promise.race([socket.end(), target.rest(20_000 + 10_000 * Math.random())]);
  });
}

/** Is in 200 rooms with 80 others, and types in all of them by turns. */
export async function typingEverywhere(target: Target): Promise<void> {
  await target.repeat("typist everywhere", { times: 80, pauseMs: 500 }, async (index) => {
    using socket = await target.enterRooms(`typist ${index}`);
    await socket.send(OPCODES.text, joinsOf("typing", { history: 0 }));
    await talk(target, socket, 105, (step) => {
      const status = Math.floor(step / ROOMS) % 2 === 0;
      return envelopeIn(`typing-${step % ROOMS}`, "typing_status", { status });
    });
  });
}

/** 500 users that come to the same rooms and go, as fast as each of them may. */
export async function comingAndGoing(target: Target): Promise<void> {
  await target.repeat("coming and going", { times: 500, pauseMs: 500 }, async (index) => {
    await target.rest(3_000 * Math.random());
    using socket = await target.enterRooms(`${index} `.padEnd(60, "👋"));
    await talk(target, socket, 200, (step) => {
      const room = `coming-${step % 4}`;
      return `${envelopeIn(room, "join", { history: 0 })}\n${envelopeIn(room, "leave")}`;
    });
  });
}

/** Sends long frames of many envelopes, most of which are wrong in one way or another. */
export async function fullFrames(target: Target): Promise<void> {
  const many = (line: string) => `${line}\n`.repeat(Math.min(1_900, 60_000 / (line.length + 1)));
  const frames = [
    many('{"type":"ping"}'),
    many(envelopeIn("full", "join")),
    many(`${envelopeIn("full", "join")}\n${envelopeIn("full", "leave")}`),
    many(envelopeIn("full", "leave")),
    many(envelopeIn("full", "chat_message", { text: "x" })),
    many(envelopeIn("full", "typing_status", { status: true })),
    many(envelopeIn("full", "join", { since: 1 })),
    many(JSON.stringify({ type: "authenticate", payload: { token: "x" } })),
    many(`{"type":"${"x".repeat(2_000)}","room":"full"}`),
    many(envelopeIn("r".repeat(5_000), "join")),
    many("{}"),
    `{"type":"join","room":"full","payload":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
    `{"type":"join","room":"full","payload":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
    many('{"type":"join","room":"full","payload":{"__proto__":{},"constructor":1}}'),
  ];
  await target.repeat("full frames", { times: 28, pauseMs: 50 }, async (index) => {
    using socket = await target.enterRooms(`stuffer ${index}`);
    await talk(target, socket, 10, () => frames[index % frames.length]);
  });
}

/** Is in 200 busy rooms and reads nothing. */
export async function deafInManyRooms(target: Target): Promise<void> {
  const deaf = target.repeat("deaf in many rooms", { times: 60, pauseMs: 200 }, async () => {
    using socket = await target.enterRooms();
    await socket.send(OPCODES.text, joinsOf("deaf", { history: 100 }));
    await target.rest(20_000 + 10_000 * Math.random());
  });
  const writers = target.repeat("writer to many rooms", { times: 4, pauseMs: 500 }, async () => {
    using socket = await target.enterRooms();
    await socket.send(OPCODES.text, joinsOf("deaf", { history: 0 }));
    await talk(target, socket, 55, (step) => {
      return envelopeIn(`deaf-${step % ROOMS}`, "chat_message", { text: longest() });
    });
  });
  await Promise.all([deaf, writers]);
}

/** Hangs up while it joins, with or without a word. */
export async function halfJoins(target: Target): Promise<void> {
  await target.repeat("half a join", { times: 20, pauseMs: 20 }, async () => {
    using socket = await target.enterRooms();
    const name = pick(["half", "typing", crypto.randomUUID()]);
    await socket.send(OPCODES.text, joinsOf(name, { history: 100 }));
    if (Math.random() < 0.5) await socket.send(OPCODES.close);
    await target.rest(pick([0, 0, 10, 50]));
  });
}
