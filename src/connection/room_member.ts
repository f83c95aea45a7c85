/**
 * One of the rooms of a connection of protocol 2.
 *
 * @module
 */

import { draftOf } from "../hub/change_rules.ts";
import type { EnvelopeBatch } from "../hub/envelope_batch.ts";
import type { Member, Subscription } from "../hub/member.ts";
import type { ReaderMarks } from "../hub/read_marks.ts";
import type { LeftCode, Problem } from "../protocol/mod.ts";
import type { WebSocketLink } from "./websocket_link.ts";

/** The connection of a {@linkcode RoomMember}. */
export interface RoomConnection {
  /** Whose connection it is. */
  readonly user: string;
  /** A name to show beside the user. */
  readonly name: string | undefined;
  /** The address that it comes from, as far as that is known. */
  readonly address: string | undefined;
  /** The read marks of the user; undefined where there are none. */
  readonly marks: ReaderMarks | undefined;
  /** Bytes that wait for the peer, of all rooms. */
  readonly waitingBytes: number;
  /** Sends envelopes of a room. */
  sendIn(room: string, batch: EnvelopeBatch): void;
  /** Ends a stay. */
  putOut(member: RoomMember, code: LeftCode, message: string): void;
  /** Says that a room cannot be joined. */
  refuseJoin(member: RoomMember, problem: Problem): void;
  /** Closes the connection. */
  close(code: number, reason: string): void;
  /** The socket, and what waits for it. */
  readonly link: Pick<WebSocketLink, "writer">;
}

/** A stay of a connection in one room, as the room's hub sees it. */
export class RoomMember implements Member {
  readonly protocol = 2;
  readonly room: string;
  readonly #connection: RoomConnection;
  #subscription: Subscription | undefined;
  #waiting: ((subscription: Subscription) => void)[] = [];

  /**
   * Creates a member that has not joined yet.
   *
   * @param room The name of the room.
   * @param connection The connection.
   */
  constructor(room: string, connection: RoomConnection) {
    this.room = room;
    this.#connection = connection;
  }

  /** The subscription, once its turn to join has come. */
  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  /**
   * Begins the stay.
   *
   * @param subscription The subscription.
   */
  begin(subscription: Subscription): void {
    this.#subscription = subscription;
    for (const action of this.#waiting.splice(0)) action(subscription);
  }

  /**
   * Does something with the subscription, which keeps it in order with what else waits.
   *
   * @param action What is done, at once or when the turn to join has come.
   */
  act(action: (subscription: Subscription) => void): void {
    if (this.#subscription) action(this.#subscription);
    else this.#waiting.push(action);
  }

  get connection(): object {
    return this.#connection;
  }

  get user(): string {
    return this.#connection.user;
  }

  get name(): string | undefined {
    return this.#connection.name;
  }

  get address(): string | undefined {
    return this.#connection.address;
  }

  get marks(): ReaderMarks | undefined {
    return this.#connection.marks;
  }

  get waitingBytes(): number {
    return this.#connection.waitingBytes;
  }

  /** Changes a message, as an envelope of the connection says. */
  change(envelope: Parameters<typeof draftOf>[0]): void {
    this.subscription?.change(draftOf(envelope));
  }

  send(batch: EnvelopeBatch): void {
    this.#connection.sendIn(this.room, batch);
  }

  putOut(code: LeftCode, message: string): void {
    this.#connection.putOut(this, code, message);
  }

  refuseJoin(problem: Problem): void {
    this.#connection.refuseJoin(this, problem);
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  drained(): Promise<void> {
    return this.#connection.link.writer.drained();
  }

  ready(): Promise<void> | undefined {
    return this.#connection.link.writer.ready();
  }
}
