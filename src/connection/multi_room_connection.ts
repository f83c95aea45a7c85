/**
 * A WebSocket connection to several rooms, in protocol 2.
 *
 * @module
 */

import { displayNameOf } from "../access/authorization.ts";
import { forbidden } from "../access/authorizer.ts";
import { joinCostMs } from "../access/processor_costs.ts";
import { HttpError } from "../access/http_error.ts";
import { drainingBatch } from "../hub/drain.ts";
import type { EnvelopeBatch } from "../hub/envelope_batch.ts";
import { encodeErrorV2 } from "../hub/room_error.ts";
import type { JoinOptions } from "../hub/joining.ts";
import type { ReaderMarks } from "../hub/read_marks.ts";
import { CLOSE_CODES, decodeClientEnvelopeV2 } from "../protocol/mod.ts";
import { HISTORY_DEFAULT, HISTORY_MAX } from "../protocol/mod.ts";
import type { ClientEnvelopeV2, ErrorCode, JoinPayloadV2, Problem } from "../protocol/mod.ts";
import type { LeftCode, RoomRole } from "../protocol/mod.ts";
import { type CloseName, Inbound, type InboundHandler, type RefusedAbout } from "./inbound.ts";
import { JoinQueue } from "./join_queue.ts";
import type { LinkHandler } from "./link_handler.ts";
import type { MultiRoomOptions } from "./multi_room_options.ts";
import type { HeldChange } from "./outbound_queue.ts";
import { RoleRefresh } from "./role_refresh.ts";
import { type RoomConnection, RoomMember } from "./room_member.ts";
import { RoomOutlet } from "./room_outlet.ts";
import { TokenRefresh } from "./token_refresh.ts";
import type { Upgraded } from "./upgrade.ts";
import { WebSocketLink } from "./websocket_link.ts";

/** A connection with a member in each of its rooms. */
export class MultiRoomConnection
  implements RoomConnection, InboundHandler<ClientEnvelopeV2>, LinkHandler {
  readonly user: string;
  name: string | undefined;
  /** The socket, and what waits for it. */
  readonly link: WebSocketLink;
  readonly #options: MultiRoomOptions;
  readonly #inbound: Inbound<ClientEnvelopeV2>;
  readonly lifetime: TokenRefresh;
  readonly #roleRefresh: RoleRefresh<RoomMember>;
  readonly #joins: JoinQueue;
  readonly #outlet: RoomOutlet;
  readonly #members = new Map<string, RoomMember>();

  /**
   * Made for a socket that was upgraded.
   *
   * @param upgraded The socket, not open yet.
   * @param options What it is for.
   */
  constructor(
    upgraded: Pick<Upgraded<string>, "socket" | "unopenedReason">,
    options: MultiRoomOptions,
  ) {
    const { grant, services, address } = options;
    const { user, name, rates, rates: { processor }, markClosing, release } = grant;
    this.user = user;
    this.name = name;
    this.#options = options;
    this.#joins = new JoinQueue({ turns: services.joinTurns, key: address ?? "" });
    this.lifetime = new TokenRefresh({
      ...grant,
      services,
      onRefresh: (authorization) => {
        grant.renewed(authorization);
        this.#setName(displayNameOf(authorization));
        this.link.guard(() => this.#roleRefresh.run([...this.#members.values()]));
      },
    });
    this.#roleRefresh = new RoleRefresh({
      roleOf: ({ room }) => grant.roleIn(room),
      has: (member) => this.#members.get(member.room) === member,
      onRole: (member, role) => this.link.guard(() => this.#setRole(member, role)),
      onFailure: ({ room }, problem) =>
        this.link.guard(() => this.refuse(problem, { for: "authenticate", room })),
    });
    this.#inbound = new Inbound({
      limits: services.hub.limits,
      decode: decodeClientEnvelopeV2,
      isLines: true,
      rates,
    });
    const ends = { onClosing: markClosing, onEnd: release };
    this.link = new WebSocketLink(upgraded, { services, user, address, processor, ...ends }, this);
    this.#outlet = new RoomOutlet(this.link, user);
    options.reads?.listen((room, mark) => {
      this.link.guard(() => this.#members.get(room)?.subscription?.tellRead(mark));
    });
  }

  get address(): string | undefined {
    return this.#options.address;
  }

  get isOver(): boolean {
    return !this.link.isOpen;
  }

  get waitingBytes(): number {
    return this.link.waitingBytes;
  }

  get marks(): ReaderMarks | undefined {
    return this.#options.reads?.marks;
  }

  sendIn(room: string, batch: EnvelopeBatch): void {
    this.#outlet.sendBatch(room, batch);
  }

  release(changes: readonly HeldChange[]): void {
    this.#outlet.release(changes);
  }

  close(code: number, reason: string): void {
    this.link.close(code, reason);
    // Not within the loop that sends to everybody in a room.
    queueMicrotask(() => this.link.guard(() => this.leave()));
  }

  disconnect(code: number, reason: string): void {
    this.leave();
    this.link.close(code, reason);
  }

  leave(): void {
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) this.#end(member);
  }

  opened(): void {
    const { services: { hub }, grant } = this.#options;
    const limits = { ...hub.limits, rooms_max: grant.roomsMax, history_max: HISTORY_MAX };
    const payload = { user: this.user, name: this.name, protocol: 2, limits } as const;
    this.#outlet.send({ type: "welcome", payload });
    if (hub.isDraining) this.sendAway(1);
  }

  sendAway(members: number): void {
    this.sendIn("", drainingBatch(members));
    this.disconnect(CLOSE_CODES.draining.code, "The server is stopping");
  }

  receive(data: unknown): void {
    this.#inbound.take(data, this);
  }

  accept(envelope: ClientEnvelopeV2): void {
    switch (envelope.type) {
      case "join":
        return this.#join(envelope.room, envelope.payload ?? {});
      case "leave": {
        const member = this.#memberFor(envelope);
        if (member) this.putOut(member, "left", "You left the room");
        return;
      }
      case "chat_message":
        return this.#memberFor(envelope, envelope.payload.ref)
          ?.act((subscription) => subscription.publish(envelope.payload));
      case "typing_status":
        return this.#memberFor(envelope)
          ?.act((subscription) => subscription.typing(envelope.payload.status));
      case "read":
        return this.#memberFor(envelope)
          ?.act((subscription) => subscription.read(envelope.payload.cursor));
      case "authenticate":
        return void this.lifetime.take(envelope.payload.token, (problem) => {
          this.link.guard(() => this.refuse(problem, { for: "authenticate" }));
        });
      case "ping":
        return this.#outlet.send({ type: "pong", payload: {} });
      default:
        return this.#memberFor(envelope, envelope.payload.ref)?.change(envelope);
    }
  }

  refuse(problem: Problem, about: RefusedAbout): void {
    this.#options.services.hub.metrics.count("rejected", problem.code);
    this.#outlet.sendText(about.room ?? "", encodeErrorV2(problem, about));
  }

  refuseJoin(member: RoomMember, problem: Problem): void {
    this.#forget(member);
    this.refuse(problem, { for: "join", room: member.room });
  }

  end(name: CloseName, reason: string): void {
    this.link.end(name, reason);
  }

  #join(room: string, { after, history, presence }: JoinPayloadV2): void {
    const { grant, grant: { roomsMax } } = this.#options;
    if (this.#members.has(room)) {
      return this.#refuse("already_joined", "You are in this room already", { for: "join", room });
    }
    if (roomsMax > 0 && this.#members.size >= roomsMax) {
      const message = `A connection may be in ${roomsMax} rooms: leave one first`;
      return this.#refuse("too_many_rooms", message, { for: "join", room });
    }
    let role: RoomRole | Promise<RoomRole>;
    try {
      grant.enterRoom(room);
      role = grant.roleIn(room);
      if (role === "none") throw forbidden(this.user);
    } catch (error) {
      grant.leaveRoom(room);
      if (!(error instanceof HttpError)) throw error;
      return this.#inbound.refuse(error.problem, this, { for: "join", room });
    }
    const member = new RoomMember(room, this);
    this.#members.set(room, member);
    void this.#enter(member, { after, history, presence, role });
  }

  /** Joins a room when it is its turn: until then nothing of the room is kept in memory. */
  async #enter(member: RoomMember, options: JoinOptions): Promise<void> {
    const { services: { hub } } = this.#options;
    const isGone = () => this.#members.get(member.room) !== member || this.isOver;
    // What decides may be slow, and keeps no place meanwhile.
    if (typeof options.role === "object") await options.role.catch(() => {});
    await this.#joins.run(member, async () => {
      if (isGone()) return;
      this.#options.grant.rates.processor?.charge(joinCostMs(options.history ?? HISTORY_DEFAULT));
      this.link.guard(() => {
        member.begin(hub.join(member.room, member, options));
        // It may have been closed, or refused, within that.
        if (isGone()) this.#end(member);
      });
      await member.subscription?.joined;
    });
  }

  /** Finds the member for an envelope; refuses it where the connection is not in the room. */
  #memberFor(
    { type, room }: { readonly type: string; readonly room: string },
    ref?: string,
  ): RoomMember | undefined {
    const member = this.#members.get(room);
    const about = { for: type, room };
    if (!member) this.#refuse("not_joined", "You are not in this room", about, ref);
    return member;
  }

  putOut(member: RoomMember, code: LeftCode, message: string): void {
    const { room } = member;
    this.#forget(member);
    // What was held back belongs to the stay that is over.
    this.link.writer.queue.forget(room);
    this.#outlet.send({ type: "left", room, payload: { code, message } });
  }

  #forget(member: RoomMember): void {
    if (this.#members.get(member.room) !== member) return;
    this.#members.delete(member.room);
    this.#end(member);
    this.#options.grant.leaveRoom(member.room);
  }

  #end(member: RoomMember): void {
    member.subscription?.leave();
    this.#joins.giveUp(member);
  }

  #setName(name: string | undefined): void {
    this.name = name;
    this.link.guard(() => this.#members.forEach((member) => member.subscription?.refreshName()));
  }

  /** Applies the role that a fresh token gives in a room. */
  #setRole(member: RoomMember, role: RoomRole): void {
    if (role !== "none") return member.act((subscription) => subscription.setRole(role));
    this.putOut(member, "forbidden", "The room is no longer open to you");
  }

  #refuse(code: ErrorCode, message: string, about: RefusedAbout, ref?: string): void {
    this.#inbound.refuse({ code, message, ref }, this, about);
  }
}
