import { assert, assertEquals } from "@std/assert";
import {
  type CloseName,
  Inbound,
  type InboundHandler,
  type InboundOptions,
} from "../../src/connection/inbound.ts";
import type { ClientEnvelope, Limits, Problem } from "@hubbub/hub/protocol";

const LIMITS: Limits = {
  text_max_bytes: 4096,
  typing_timeout_ms: 3000,
  messages_per_second: 20,
  message_burst: 40,
};

const JUNK = "no JSON";
const TYPING = JSON.stringify({ type: "typing_status", payload: { status: true } });

function saying(text: string, ref?: string): string {
  return JSON.stringify({ type: "chat_message", payload: { text, ref } });
}

/** Writes down what gets through, on a clock that the test turns. */
class Recorder implements InboundHandler {
  now = 0;
  isOver = false;
  readonly accepted: ClientEnvelope[] = [];
  readonly refused: Problem[] = [];
  ended: CloseName | undefined;
  readonly #inbound: Inbound;

  constructor(options: Partial<InboundOptions> = {}) {
    this.#inbound = new Inbound({ limits: LIMITS, isLines: true, now: () => this.now, ...options });
  }

  take(data: unknown): void {
    if (!this.isOver) this.#inbound.take(data, this);
  }

  accept(envelope: ClientEnvelope): void {
    this.accepted.push(envelope);
  }

  refuse(problem: Problem): void {
    this.refused.push(problem);
  }

  end(close: CloseName): void {
    this.ended = close;
    this.isOver = true;
  }

  get codes(): string[] {
    return this.refused.map(({ code }) => code);
  }
}

Deno.test("Inbound bears ten bad frames a minute, and no more", () => {
  const recorder = new Recorder();
  for (let minute = 0; minute < 5; minute++) {
    for (let i = 0; i < 10; i++) recorder.take(JUNK);
    assertEquals(recorder.ended, undefined);
    recorder.now += 60_000;
  }
  for (let i = 0; i < 10; i++) {
    recorder.take([new ArrayBuffer(1), "{}", '{"type":"x"}', JUNK][i % 4]);
  }
  assertEquals(recorder.ended, undefined);
  recorder.take(JUNK);
  assertEquals(recorder.ended, "tooManyBadFrames");
  assertEquals(recorder.refused.length, 61);
});

Deno.test("Inbound reads nothing more of a frame that ended the connection", () => {
  const recorder = new Recorder();
  recorder.take([...Array(50).fill(JUNK), saying("hello")].join("\n"));
  assertEquals(recorder.ended, "tooManyBadFrames");
  assertEquals(recorder.refused.length, 11);
  assertEquals(recorder.accepted, []);
});

Deno.test("Inbound lets bursts through and refuses the rest, with the time to wait", () => {
  const recorder = new Recorder();
  for (let i = 0; i < 45; i++) recorder.take(saying("hello", `r${i}`));
  assertEquals(recorder.accepted.length, 40);
  assertEquals(
    recorder.refused.map(({ code, ref, retry_after_ms }) => [code, ref, retry_after_ms]),
    [
      ["rate_limited", "r40", 50],
      ["rate_limited", "r41", 50],
      ["rate_limited", "r42", 50],
      ["rate_limited", "r43", 50],
      ["rate_limited", "r44", 50],
    ],
  );
  recorder.now += 50;
  recorder.take(saying("again"));
  assertEquals(recorder.accepted.length, 41);
});

Deno.test("Inbound counts typing by itself", () => {
  const recorder = new Recorder();
  for (let i = 0; i < 41; i++) recorder.take(TYPING);
  assertEquals([recorder.accepted.length, recorder.codes], [40, ["rate_limited"]]);
  recorder.take(saying("hello"));
  assertEquals(recorder.accepted.length, 41);
});

Deno.test("Inbound ends whoever goes on after being refused", () => {
  const recorder = new Recorder();
  for (let i = 0; i < 440; i++) recorder.take(saying("hello"));
  assertEquals([recorder.ended, recorder.refused.length], [undefined, 400]);
  recorder.take(saying("hello"));
  assertEquals(recorder.ended, "tooManyBadFrames");
});

/** Rates that others share, of which nothing is used up. */
const PLENTY = { takeMessage: () => 0, takeEnvelope: () => 0, takeRefusal: () => 0 };

Deno.test("Inbound asks for the rate of the address, and ends whom it has refused too often", () => {
  let [envelopes, refusals] = [3, 2];
  const recorder = new Recorder({
    rates: {
      ...PLENTY,
      takeEnvelope: () => envelopes-- > 0 ? 0 : 900,
      takeRefusal: () => refusals-- > 0 ? 0 : 1,
    },
  });
  for (let i = 0; i < 4; i++) recorder.take(i % 2 === 0 ? TYPING : saying("hello"));
  assertEquals([recorder.accepted.length, recorder.codes], [3, ["rate_limited"]]);
  assertEquals(recorder.refused[0].retry_after_ms, 900);
  recorder.take(TYPING);
  assertEquals(recorder.ended, undefined);
  recorder.take(TYPING);
  assertEquals(recorder.ended, "tooManyBadFrames");
});

Deno.test("Inbound asks for the user's share after the connection's", () => {
  let left = 3;
  const rates = { ...PLENTY, takeMessage: () => left-- > 0 ? 0 : 700 };
  const recorder = new Recorder({ rates });
  for (let i = 0; i < 5; i++) recorder.take(saying("hello"));
  assertEquals(recorder.accepted.length, 3);
  assertEquals(recorder.refused.map(({ retry_after_ms }) => retry_after_ms), [700, 700]);
});

Deno.test("Inbound has no rate where there is none", () => {
  const recorder = new Recorder({
    limits: { ...LIMITS, messages_per_second: 0, message_burst: 0 },
  });
  for (let i = 0; i < 5_000; i++) recorder.take(saying("hello"));
  assertEquals(recorder.accepted.length, 5_000);
});

Deno.test("Inbound takes a bounded number of lines in a frame", () => {
  const limits = { ...LIMITS, messages_per_second: 0 };
  const recorder = new Recorder({ limits });
  const lines = Array<string>(1_390).fill(saying("x"));
  recorder.take(lines.join("\n"));
  assertEquals([recorder.accepted.length, recorder.codes], [1_390, []]);
  recorder.take("\n".repeat(1_000) + saying("read") + "\n".repeat(900));
  assertEquals([recorder.accepted.length, recorder.codes], [1_391, []]);
  recorder.take("\n".repeat(60_000) + saying("never read"));
  assertEquals([recorder.accepted.length, recorder.codes], [1_391, ["bad_frame"]]);
});

Deno.test("Inbound takes a frame without an envelope for a bad one, and ends who goes on", () => {
  for (const blank of ["", "\n", "\n".repeat(60_000)]) {
    const recorder = new Recorder();
    for (let i = 0; i < 11; i++) recorder.take(blank);
    assertEquals(recorder.codes, Array(11).fill("bad_frame"));
    assertEquals(recorder.ended, "tooManyBadFrames");
  }
});

Deno.test("Inbound ends a connection whose frame is too long", () => {
  const frames: unknown[] = [" ".repeat(65_537), new ArrayBuffer(65_537)];
  for (const frame of frames) {
    const recorder = new Recorder();
    recorder.take(frame);
    assertEquals(recorder.ended, "tooBig");
  }
  const longer = new Recorder({ limits: { ...LIMITS, text_max_bytes: 60_000 } });
  // The longest that JSON can make of 60,000 bytes.
  longer.take(saying("@").replace("@", "\\u0078".repeat(60_000)));
  assertEquals(longer.accepted.length, 1);
});

Deno.test("Inbound takes several envelopes of a frame only where that was agreed", () => {
  const recorder = new Recorder({ isLines: false });
  recorder.take(`${saying("a")}\n${saying("b")}`);
  assertEquals(recorder.codes, ["bad_frame"]);
  assert(recorder.accepted.length === 0);
});
