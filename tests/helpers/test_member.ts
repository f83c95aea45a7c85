import type { EnvelopeBatch, Member, Message } from "@hubbub/hub";
import { decodeServerEnvelope, type ServerEnvelope } from "@hubbub/hub/protocol";
import { within } from "./patience.ts";

/** What each type of envelope carries. */
export type Payloads = { [E in ServerEnvelope as E["type"]]: E["payload"] };

/** A member that writes down whatever the hub gives it. */
export class TestMember implements Member {
  readonly user: string;
  /** The frames, each as its envelopes. */
  readonly frames: ServerEnvelope[][] = [];
  /** The same as it went over the wire. */
  readonly texts: string[] = [];
  /** How often, and how, the hub ended the connection. */
  readonly closes: { code: number; reason: string }[] = [];
  /** Runs after each frame was written down; may throw. */
  onFrame: ((envelopes: readonly ServerEnvelope[]) => void) | undefined;
  /** What a long replay waits for after each page; a member without it takes pages at once. */
  drained?: () => Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(user: string, onFrame?: (envelopes: readonly ServerEnvelope[]) => void) {
    this.user = user;
    this.onFrame = onFrame;
  }

  send(frame: EnvelopeBatch): void {
    const envelopes = parseFrame(frame);
    this.frames.push(envelopes);
    this.texts.push(...frame.envelopes);
    this.onFrame?.(envelopes);
    for (const check of this.#waiting) check();
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
    for (const check of this.#waiting) check();
  }

  /** All envelopes, in order. */
  get envelopes(): ServerEnvelope[] {
    return this.frames.flat();
  }

  /** The messages, in order: history and live. */
  get messages(): Message[] {
    return this.of("chat_message");
  }

  /** What the messages say, in order. */
  get said(): string[] {
    return this.messages.map((message) => message.text);
  }

  /** The payloads of one type, in order. */
  of<T extends keyof Payloads>(type: T): Payloads[T][] {
    return payloadsOf(this.envelopes, type);
  }

  /** The payload of `joined`; fails where there is not exactly one. */
  get joined(): Payloads["joined"] {
    const [joined, ...more] = this.of("joined");
    if (!joined || more.length > 0) throw new Error(`Not exactly one "joined": ${this.texts}`);
    return joined;
  }

  /** Resolves when something holds, looked at after each frame and each close. */
  async until(holds: (member: this) => boolean): Promise<void> {
    const held = new Promise<void>((resolve) => {
      const check = () => {
        if (!holds(this)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
    await within(held, () => `${holds}; got ${this.texts.slice(-20).join("\n")}`);
  }
}

/** Takes the payloads of one type out of envelopes. */
export function payloadsOf<T extends keyof Payloads>(
  envelopes: readonly ServerEnvelope[],
  type: T,
): Payloads[T][] {
  return envelopes
    .filter((envelope) => envelope.type === type)
    .map((envelope) => envelope.payload as Payloads[T]);
}

/** Each frame goes to many members. */
const parsed = new WeakMap<EnvelopeBatch, ServerEnvelope[]>();

function parseFrame(frame: EnvelopeBatch): ServerEnvelope[] {
  let envelopes = parsed.get(frame);
  if (!envelopes) parsed.set(frame, envelopes = frame.envelopes.map(parse));
  return envelopes;
}

function parse(text: string): ServerEnvelope {
  if (text.includes("\n")) throw new Error(`An envelope holds a raw line feed: ${text}`);
  const decoded = decodeServerEnvelope(text);
  if (!decoded.ok) throw new Error(`Not an envelope: ${text}`);
  return decoded.envelope;
}
