/**
 * Connection for many rooms.
 *
 * @module
 */

import { encodeEnvelope, type LimitsV2, type ProblemV2 } from "../protocol/mod.ts";
import type { ConnectionOptions, ConnectionState } from "./chat_events.ts";
import { settingsOf } from "./connection_settings.ts";
import { HttpClient } from "./http_client.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";
import { Room } from "./room.ts";
import type { RoomContext } from "./room_context.ts";
import { RoomModel } from "./room_model.ts";
import { type RoomOptions, roomOptionsOf } from "./room_options.ts";
import { SendPace } from "./send_pace.ts";
import { checkRoom, checkUser, ServerUrl, upgradeUrl } from "./server_url.ts";
import { SnapshotStore } from "./snapshot_store.ts";
import { TaskLimit } from "./task_limit.ts";
import { TokenSource } from "./token_source.ts";
import { UpgradeProbe } from "./upgrade_probe.ts";
import { type HubEnvelope, WIRE_V2 } from "./wire_v2.ts";

/** Pages of history that are read at once: 200 rooms may have missed something together. */
const PAGES_AT_ONCE = 6;
/** Types of envelopes that the hub answers, if only with an error. */
const ANSWERED = ["join", "leave"];

/** Options of `createClient()`. */
export interface ClientOptions extends ConnectionOptions {
  /**
   * Called with each refusal by the hub, and the room that it is about, if it is about one. What is
   * refused is in the room's snapshot, too: this is for logs.
   */
  readonly onProblem?: (problem: ProblemV2, room: string | undefined) => void;
}

/** The state of a client, never changed: each change makes another one. */
export interface ClientSnapshot {
  /** How far the connection is. */
  readonly status: ConnectionState["status"];
  /** Why it was lost, or closed: a sentence for people. */
  readonly reason: string | undefined;
  /** The user's name: as the server says, once it has. */
  readonly user: string;
}

/**
 * A connection for many rooms, over however many sockets it takes. Made by `createClient`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 * import { createClient } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 *
 * await using client = createClient(`http://127.0.0.1:${http.addr.port}`, { user: "ann" });
 * await Promise.all(["lobby", "news"].map((name) => client.room(name).send({ text: "hello" })));
 * console.log(client.status); // live
 * ```
 */
export class ChatClient {
  /**
   * Subscribes to the snapshots of the connection; bound, so that it can be handed on as it is.
   *
   * @param listener Called after each change, at most once a turn.
   * @returns Ends the subscription.
   */
  readonly subscribe: (listener: () => void) => () => void;
  readonly #socket: ReconnectingSocket<HubEnvelope>;
  readonly #store: SnapshotStore<ClientSnapshot>;
  readonly #pace = new SendPace();
  readonly #rooms = new Map<string, { readonly room: Room; readonly model: RoomModel }>();
  readonly #contextOf: (room: string) => RoomContext;
  readonly #onProblem: ClientOptions["onProblem"];
  readonly #joining = new Set<string>();
  /** What goes out at the end of this turn. */
  #outbox: string[] = [];
  #isAsking = false;
  #isOpen = false;
  #isWelcome = false;
  #user: string;
  #limits: LimitsV2 | undefined;

  /**
   * Made by `createClient`.
   *
   * @param url The server's base.
   * @param options Who connects, and how the connection behaves.
   * @throws {TypeError} Where the URL or the user is none, or there is no WebSocket.
   * @throws {RangeError} Where a number is out of range.
   */
  constructor(url: string | URL, options: ClientOptions = {}) {
    const { token, signal, credentials, onProblem } = options;
    const server = new ServerUrl(url);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const settings = settingsOf(options);
    const tokens = new TokenSource(token, settings);
    const fetcher = options.fetch ?? ((input, init) => fetch(input, init));
    const http = new HttpClient({ ...settings, tokens, fetch: fetcher, credentials });
    const pages = new TaskLimit(PAGES_AT_ONCE);
    this.#user = user ?? "";
    this.#onProblem = onProblem;
    this.#store = new SnapshotStore(() => ({
      status: this.status,
      reason: this.reason,
      user: this.user,
    }));
    this.subscribe = (listener) => this.#store.subscribe(listener);
    this.#socket = new ReconnectingSocket({
      ...options,
      wire: WIRE_V2,
      settings,
      tokens,
      probe: new UpgradeProbe({ http, tokens }),
      url: () => upgradeUrl(server.http, token === undefined ? { user } : {}),
      onOpen: () => this.#opened(),
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => onProblem?.(problem, undefined),
      isEntering: () => !this.#isWelcome || this.#joining.size > 0,
      onLost: () => this.#lost(),
      onState: (state) => this.#changed(state),
    });
    this.#contextOf = (room) => ({
      connection: this.#sharedConnection(),
      settings,
      pace: this.#pace,
      http,
      pages,
      url: server.room(room),
      closing: this.#socket.closing,
      member: () => ({ user: this.#user, limits: this.#limits }),
    });
    signal?.addEventListener("abort", () => this.close(), { signal: this.#socket.closing });
    if (signal?.aborted) this.close();
    else this.#socket.start();
  }

  /** How far the connection is. */
  get status(): ConnectionState["status"] {
    return this.#socket.state.status;
  }

  /** Why the connection was lost, or closed; undefined while it is neither. */
  get reason(): string | undefined {
    const { state } = this.#socket;
    return "reason" in state ? state.reason : undefined;
  }

  /** The state of the connection, with the time of the next try. */
  get state(): ConnectionState {
    return this.#socket.state;
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#user;
  }

  /** The limits of the connection, once the server has told them. */
  get limits(): LimitsV2 | undefined {
    return this.#limits;
  }

  /** The state of now as one object, the same until something of it changes. */
  get snapshot(): ClientSnapshot {
    return this.#store.snapshot;
  }

  /**
   * Gives a room: always the same object for a name. It is joined with its first subscription.
   *
   * @param name The room's name.
   * @param options How it is joined; those of the first call for a room hold.
   * @returns The room.
   * @throws {TypeError} Where the name is none, or an option of another type.
   * @throws {RangeError} Where a number is out of range.
   */
  room(name: string, options: RoomOptions = {}): Room {
    const checked = roomOptionsOf(options);
    const known = this.#rooms.get(name);
    if (known) return known.room;
    const model = new RoomModel(checkRoom(name), checked, this.#contextOf(name));
    const room = new Room(model);
    this.#rooms.set(name, { room, model });
    const { closing } = this.#socket;
    if (closing.aborted) model.membership.close(closing.reason);
    return room;
  }

  /**
   * Leaves all rooms for good. What waits to be sent fails. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  /** Leaves all rooms, and waits for the server's side of the close for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#socket.settled();
  }

  #sharedConnection(): RoomContext["connection"] {
    const isOpen = () => this.#isOpen;
    const status = () => this.#socket.state.status;
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
    for (const { model } of this.#rooms.values()) model.membership.connected();
  }

  #take(envelope: HubEnvelope): void {
    if (envelope.type === "welcome") {
      const { user, limits } = envelope.payload;
      this.#isWelcome = true;
      this.#user = user;
      this.#limits = limits;
      this.#pace.attach(limits);
      return this.#socket.live();
    }
    const { room: name } = envelope;
    if (name !== undefined) this.#rooms.get(name)?.model.membership.take(envelope);
    if (envelope.type === "error") this.#onProblem?.(envelope.payload, name);
  }

  #lost(): void {
    this.#isOpen = false;
    this.#outbox = [];
    this.#isWelcome = false;
    for (const { model } of this.#rooms.values()) model.membership.disconnected();
    this.#pace.detach();
  }

  #changed(state: ConnectionState): void {
    for (const { model } of this.#rooms.values()) {
      if (state.status === "closed") model.membership.close(this.#socket.closing.reason);
      else model.connectionChanged();
    }
    this.#store.changed();
  }
}
