import { type Envelope, Socket } from "./socket.ts";
import type { HubUnderTest } from "./hub_under_test.ts";

/** A version of the protocol. */
export type Version = 1 | 2;

/** Both versions: what is said for all holds in each. */
export const VERSIONS: readonly Version[] = [1, 2];

/** How a {@linkcode Member} joins. */
export interface MemberOptions {
  readonly room: string;
  readonly user: string;
  readonly version?: Version;
  readonly after?: string;
  readonly history?: number;
}

/** A member of one room, in either version. */
export class Member implements AsyncDisposable {
  readonly socket: Socket;
  readonly room: string;
  readonly user: string;
  readonly version: Version;

  private constructor(socket: Socket, { room, user, version = 1 }: MemberOptions) {
    this.socket = socket;
    this.room = room;
    this.user = user;
    this.version = version;
  }

  /** Connects, and waits for `joined`. */
  static async join(hub: HubUnderTest, options: MemberOptions): Promise<Member> {
    const { room, user, version = 1, after, history } = options;
    const query = new URLSearchParams({ user });
    if (version === 1) {
      if (after !== undefined) query.set("after", after);
      if (history !== undefined) query.set("history", `${history}`);
    }
    const path = version === 1 ? `/rooms/${room}/ws` : "/ws";
    const socket = new Socket(`${hub.url}${path}?${query}`, [`hubbub.v${version}`]);
    const member = new Member(socket, options);
    await socket.opened();
    if (version === 2) {
      socket.send({ type: "join", room, payload: { after, history } });
    }
    await socket.first("joined");
    return member;
  }

  get joined(): Envelope["payload"] {
    return this.of("joined")[0];
  }

  /** The messages, in order. */
  get messages(): Envelope["payload"][] {
    return this.of("chat_message");
  }

  /** What they say. */
  get said(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** Who joined (+) and left (-), in order. */
  get presence(): string[] {
    return this.of("presence").flatMap((payload) => {
      if (this.version === 1) return `${payload.status === "joined" ? "+" : "-"}${payload.user}`;
      return [
        ...payload.joined.map(({ user }: { user: string }) => `+${user}`),
        ...payload.left.map((user: string) => `-${user}`),
      ];
    });
  }

  /** Who began (+) and ended (-) typing, in order. */
  get typing(): string[] {
    return this.of("typing_status").map(({ user, status }) => `${status ? "+" : "-"}${user}`);
  }

  /** The payloads of a type. */
  of(type: string): Envelope["payload"][] {
    return this.socket.of(type, this.version === 2 ? this.room : undefined);
  }

  /** Makes an envelope for its room. */
  envelope(type: string, payload: object): object {
    return this.version === 2 ? { type, room: this.room, payload } : { type, payload };
  }

  /** Says something. */
  say(text: unknown, ref?: unknown): void {
    this.socket.send(this.envelope("chat_message", { text, ref }));
  }

  /** Says something, and waits until it is acknowledged. */
  async store(text: string, ref: string = crypto.randomUUID()): Promise<Envelope["payload"]> {
    const isIt = (payload: Envelope["payload"]) => payload.ref === ref && payload.text === text;
    for (;;) {
      const before = this.of("error").length;
      this.say(text, ref);
      await this.socket.until(`"${text}" or an error`, () => {
        return this.messages.some(isIt) || this.of("error").length > before;
      });
      const found = this.messages.find(isIt);
      if (found) return found;
      const { code, message, retry_after_ms } = this.of("error")[before];
      if (code !== "rate_limited") throw new Error(`"${text}" was refused: ${message}`);
      // Others of this name, in other rooms, have said much.
      await new Promise((resolve) => setTimeout(resolve, retry_after_ms));
    }
  }

  /** Says something that is refused, and gives the error. */
  async refused(text: unknown, ref?: unknown): Promise<Envelope["payload"]> {
    const before = this.socket.of("error").length;
    this.say(text, ref);
    await this.socket.until("an error", () => this.socket.of("error").length > before);
    return this.socket.of("error")[before];
  }

  /** Begins or ends typing. */
  type(status: boolean): void {
    this.socket.send(this.envelope("typing_status", { status }));
  }

  /** Waits until it has so many messages. */
  async heard(count: number): Promise<void> {
    await this.socket.until(`${count} messages`, () => this.messages.length >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket.close();
  }
}
