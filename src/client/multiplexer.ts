/**
 * One connection that rooms share.
 *
 * @module
 */

import { CLOSE_CODES, encodeEnvelope, type LimitsV2, type ProblemV2 } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import { checkClose } from "./close_reason.ts";
import type { ConnectionOptions, ConnectionState } from "./chat_events.ts";
import { settingsOf } from "./connection_settings.ts";
import type { HubEnvelope } from "./hub_envelope.ts";
import { HttpClient } from "./http_client.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";
import type { RoomContext } from "./room_context.ts";
import { RoomModel } from "./room_model.ts";
import type { RoomObserver } from "./room_observer.ts";
import { type CheckedRoomOptions, roomOptionsOf } from "./room_options.ts";
import { SendPace } from "./send_pace.ts";
import { checkRoom, checkUser, ServerUrl, upgradeUrl } from "./server_url.ts";
import { TaskLimit } from "./task_limit.ts";
import { TokenSource } from "./token_source.ts";
import { type UnsentStorage, UnsentStore } from "./unsent_store.ts";
import { UpgradeProbe } from "./upgrade_probe.ts";
import { UserRoomsClient } from "./user_rooms_client.ts";

/** Pages of history that are read at once: 200 rooms may have missed something together. */
const PAGES_AT_ONCE = 6;
/** Types of envelopes that the hub answers, if only with an error. */
const ANSWERED = ["join", "leave"];

/** How {@linkcode Multiplexer} behaves. */
export interface MultiplexerOptions extends ConnectionOptions {
  /** Where messages that are not stored yet outlast the program. */
  readonly storage?: UnsentStorage;
  /** Called with each new state of the connection. */
  readonly onState: (state: ConnectionState) => void;
  /** Called with each refusal, and the room that it is about, if it is about one. */
  readonly onProblem: (problem: ProblemV2, room: string | undefined) => void;
  /** Called when the user was let into a room. */
  readonly onEntered?: (room: string) => void;
  /**
   * Whether there is one room, and no connection without it: a stay that ends for a while loses the
   * connection, and one that ends for good ends it.
   *
   * @default {false}
   */
  readonly isForOneRoom?: boolean;
}

/** A connection for many rooms, over however many sockets it takes. */
export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #socket: ReconnectingSocket;
  readonly #server: ServerUrl;
  readonly #pace = new SendPace();
  readonly #models = new Map<string, RoomModel>();
  readonly #joining = new Set<string>();
  readonly #context: Omit<RoomContext, "url">;
  /** What goes out at the end of this turn. */
  #outbox: string[] = [];
  #isAsking = false;
  #isOpen = false;
  #isWelcome = false;
  #user: string;
  #name: string | undefined;
  #limits: LimitsV2 | undefined;

  /**
   * @param url The server's base.
   * @param options Who connects, and how the connection behaves.
   * @throws {TypeError} Where the URL or the user is none, or there is no WebSocket.
   * @throws {RangeError} Where a number is out of range.
   */
  constructor(url: string | URL, options: MultiplexerOptions) {
    const { token, credentials, onProblem, onState } = options;
    const server = this.#server = new ServerUrl(url);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const settings = settingsOf(options);
    const tokens = new TokenSource(token, settings);
    const fetcher = options.fetch ?? ((input, init) => fetch(input, init));
    const http = new HttpClient({ ...settings, tokens, fetch: fetcher, credentials });
    this.#options = options;
    this.#user = user ?? "";
    this.#socket = new ReconnectingSocket({
      ...options,
      settings,
      tokens,
      probe: new UpgradeProbe({ http, tokens }),
      url: () => upgradeUrl(server.http, token === undefined ? { user } : {}),
      onOpen: () => this.#opened(),
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => onProblem(problem, undefined),
      isEntering: () => !this.#isWelcome || this.#joining.size > 0,
      onLost: () => this.#lost(),
      onState: (state) => {
        this.#changed(state);
        onState(state);
      },
    });
    this.#context = {
      connection: this.#sharedConnection(),
      settings,
      pace: this.#pace,
      http,
      pages: new TaskLimit(PAGES_AT_ONCE),
      closing: this.#socket.closing,
      member: () => ({ user: this.#user, name: this.#name, limits: this.#limits }),
      userRooms: new UserRoomsClient({ server: server.http, http, closing: this.#socket.closing }),
      onEntered: (room) => options.onEntered?.(room),
      unsent: options.storage && new UnsentStore(options.storage, server.http),
    };
  }

  /** What a list of rooms needs of it. */
  get forList(): Pick<RoomContext, "userRooms" | "settings" | "closing"> & { server: string } {
    return { ...this.#context, server: this.#server.http };
  }

  /** The state of the connection, with the time of the next try. */
  get state(): ConnectionState {
    return this.#socket.state;
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#user;
  }

  /** The name to show beside the user's, where the server says one. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The limits of the connection, once the server has told them. */
  get limits(): LimitsV2 | undefined {
    return this.#limits;
  }

  /** Connects, unless the signal among the options is aborted. */
  start(): void {
    const { signal } = this.#options;
    signal?.addEventListener("abort", () => this.close(), { signal: this.#socket.closing });
    if (signal?.aborted) this.close();
    else this.#socket.start();
  }

  /** Gives a room, which is added where it is not there. */
  get(name: string): RoomModel {
    return this.#models.get(name) ?? this.add(name, roomOptionsOf({}));
  }

  /**
   * Adds a room, which there must not be yet.
   *
   * @param name The room's name.
   * @param options How it is joined.
   * @param observer What else to call than the subscribers of its snapshots.
   * @returns The room.
   * @throws {TypeError} Where the name is none.
   */
  add(name: string, options: CheckedRoomOptions, observer?: RoomObserver): RoomModel {
    const url = this.#server.room(checkRoom(name));
    const model = new RoomModel(name, options, { ...this.#context, url }, observer);
    this.#models.set(name, model);
    const { closing } = this.#socket;
    if (closing.aborted) model.membership.close(closing.reason);
    return model;
  }

  /**
   * Ends for good. What waits to be sent fails. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    checkClose(code, reason);
    for (const { reading } of this.#models.values()) reading.flush();
    this.#flush();
    this.#socket.close(code, reason);
  }

  /**
   * Ends for good, as the hub wants no further try.
   *
   * @param code The close code that says as much.
   * @param reason What the hub said.
   */
  end(code: number, reason: string): void {
    this.#socket.end(code, reason);
  }

  /** Tries to connect at once where the next try is later; tests a connection that is open. */
  reconnect(): void {
    this.#socket.wake();
  }

  /** Settles when the server's side of the close came, or after 2 s. */
  async settled(): Promise<void> {
    await this.#socket.settled();
  }

  #sharedConnection(): RoomContext["connection"] {
    const isOpen = () => this.#isOpen;
    const status = () => this.#socket.state.status;
    const lose = (error: ChatError) => this.#socket.lose(error.message, error.retryAfterMs);
    return {
      get isOpen() {
        return isOpen();
      },
      get isWaiting() {
        return status() === "waiting";
      },
      get isClosed() {
        return status() === "closed";
      },
      joining: this.#joining,
      send: (envelope) => {
        this.#queue([encodeEnvelope(envelope)], ANSWERED.includes(envelope.type));
      },
      ask: (envelopes) => this.#queue(envelopes, true),
      ...(this.#options.isForOneRoom && { lose }),
    };
  }

  /** What is said in one turn goes out in one frame, whatever rooms it is about. */
  #queue(envelopes: readonly string[], isAsking: boolean): void {
    if (!this.#isOpen) return;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(...envelopes);
    this.#isAsking ||= isAsking;
  }

  #flush(): void {
    const [outbox, isAsking] = [this.#outbox, this.#isAsking];
    this.#outbox = [];
    this.#isAsking = false;
    if (outbox.length === 0) return;
    if (isAsking) this.#socket.ask(outbox);
    else this.#socket.send(outbox);
  }

  #opened(): void {
    this.#isOpen = true;
    // Not only after `welcome`: that would cost the time of a way there and back.
    for (const model of this.#models.values()) model.membership.connected();
  }

  #take(envelope: HubEnvelope): void {
    if (envelope.type === "welcome") {
      const { user, name, limits } = envelope.payload;
      this.#isWelcome = true;
      this.#user = user;
      this.#name = name;
      this.#limits = limits;
      this.#pace.attach(limits);
      return this.#socket.live();
    }
    const { room: name } = envelope;
    if (name !== undefined) this.#models.get(name)?.membership.take(envelope);
    if (envelope.type === "error") this.#options.onProblem(envelope.payload, name);
  }

  #lost(): void {
    this.#isOpen = false;
    this.#outbox = [];
    this.#isWelcome = false;
    for (const model of this.#models.values()) model.membership.disconnected();
    this.#pace.detach();
  }

  #changed(state: ConnectionState): void {
    for (const model of this.#models.values()) {
      if (state.status === "closed") model.membership.close(this.#socket.closing.reason);
      else model.connectionChanged();
    }
  }
}

/** Close codes as protocol 1 has them, by why a stay has ended for good. */
const CODES: Readonly<Partial<Record<string, number>>> = {
  kicked: 4503,
  banned: 4503,
  room_deleted: 4504,
};

/**
 * Gives the close code that says why a stay in a room has ended for good.
 *
 * @param error Why.
 * @returns The code.
 */
export function closeCodeOf({ code }: ChatError): number {
  return CODES[code] ?? CLOSE_CODES.notAllowed.code;
}
