/**
 * Stay in a room that an application uses.
 *
 * @module
 */

import type { JoinedEnvelopeV2, JoinPayloadV2 } from "../protocol/mod.ts";
import type { EnvelopeOfRoom } from "./hub_envelope.ts";
import { problemOfMessage } from "./room_membership.ts";
import type { Arrived } from "./room_observer.ts";
import type { RoomPeople } from "./room_people.ts";
import type { RoomReading } from "./room_reading.ts";
import type { Arrival } from "./room_session.ts";
import type { RoomStay } from "./room_stay.ts";
import { type LogRecord, storedMessage } from "./room_state.ts";
import type { RoomTimeline } from "./room_timeline.ts";
import type { SendQueue } from "./send_queue.ts";

/** How {@linkcode MemberStay} behaves. */
export interface MemberStayOptions {
  /** The messages. */
  readonly timeline: RoomTimeline;
  /** Who is there. */
  readonly people: RoomPeople;
  /** How far the user has read. */
  readonly reading: RoomReading;
  /** What waits to be sent. */
  readonly queue: SendQueue<LogRecord>;
  /** Gives the user's name. */
  readonly user: () => string;
  /** Tells whether the user is to be shown as here. */
  readonly isPresent: () => boolean;
  /** Called when everything that was missed was handed on; then what is live is. */
  readonly onArrive: () => void;
  /** Called after that, unless it has ended the stay. */
  readonly onArrived: (joined: Arrived) => void;
}

/** Stay of a member: with messages, the people who are there, and what waits to be sent. */
export class MemberStay implements RoomStay {
  readonly #options: MemberStayOptions;
  /** What the hub said when it let the member in, on the present stay. */
  #welcome: JoinedEnvelopeV2["payload"] | undefined;

  /** @param options The parts of the room. */
  constructor(options: MemberStayOptions) {
    this.#options = options;
  }

  join(): JoinPayloadV2 {
    const { timeline, reading, isPresent } = this.#options;
    const payload = timeline.enter();
    if (payload.after === undefined) reading.unread.begin();
    return { ...payload, ...(!isPresent() && { presence: false }) };
  }

  joined(joined: JoinedEnvelopeV2["payload"], stay: AbortSignal): void {
    const { people, timeline } = this.#options;
    this.#welcome = joined;
    people.joined(joined);
    timeline.session.joined(joined, stay);
  }

  /**
   * Everything that was missed was handed on.
   *
   * @param arrival Where the member stands.
   */
  arrived({ recovered }: Arrival): void {
    const { timeline, reading, onArrive, onArrived } = this.#options;
    const joined = this.#welcome;
    if (joined) reading.arrive(joined, timeline.hasOlder);
    onArrive();
    // What is told of the status may have ended the stay.
    if (joined && joined === this.#welcome) onArrived({ ...joined, recovered });
  }

  take(envelope: EnvelopeOfRoom): void {
    const { timeline, people, reading, queue, user } = this.#options;
    const { session } = timeline;
    switch (envelope.type) {
      case "chat_message":
        return session.take(storedMessage(envelope.payload, user()));
      case "message_changed":
        return session.take(envelope.payload);
      case "user_erased":
        reading.unread.erased(envelope.payload.user);
        timeline.erase(envelope.payload.user);
        return people.take(envelope);
      case "read":
        return reading.moved(envelope.payload);
      case "error":
        if (envelope.payload.for === "read") return reading.refused(envelope.payload);
        people.take(envelope);
        return queue.refuse(problemOfMessage(envelope.payload));
      default:
        return people.take(envelope);
    }
  }

  restart(): void {
    const { timeline } = this.#options;
    timeline.clear();
    timeline.session.restart();
  }

  lost(): void {
    const { timeline, people, reading } = this.#options;
    this.#welcome = undefined;
    timeline.lost();
    people.lost();
    reading.lost();
  }
}
