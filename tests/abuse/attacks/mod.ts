import type { Entry } from "../observed_hub.ts";
import type { Attack } from "../target.ts";
import { badRequests, badTokens, foreignOrigins, ghosts } from "./bad_requests.ts";
import { blankFrames } from "./blank_frames.ts";
import { bursts } from "./bursts.ts";
import { changers } from "./changers.ts";
import { churn } from "./churn.ts";
import {
  deafHandshakes,
  drips,
  idlers,
  oddFrames,
  oddRequests,
  pings,
  pipelines,
  sharedToken,
  streams,
} from "./connections.ts";
import { crowds } from "./crowds.ts";
import { endlessBodies } from "./endless_bodies.ts";
import { floods } from "./floods.ts";
import { continuations, rapidResets, unreadPings } from "./http2_floods.ts";
import { hoarders } from "./hoarders.ts";
import { idleConnections } from "./idle_connections.ts";
import { idleRooms } from "./idle_rooms.ts";
import { junk, oversized } from "./junk.ts";
import {
  comingAndGoing,
  deafInManyRooms,
  fullFrames,
  halfJoins,
  newRooms,
  reopeners,
  roomLoops,
  typingEverywhere,
} from "./many_memberships.ts";
import { newNames, squatters } from "./names.ts";
import { manyRooms } from "./many_rooms.ts";
import { overviews } from "./overviews.ts";
import { questions } from "./questions.ts";
import { resumers } from "./resumers.ts";
import { slowTakers } from "./slow_takers.ts";
import { stuckReaders } from "./stuck_readers.ts";
import { typingStorms } from "./typing_storms.ts";
import { unreadAnswers, unreadStreams } from "./unread_answers.ts";

/** An attack, and the hub that it is for. */
export interface AttackClass {
  readonly run: Attack;
  /** Who may enter the hub that is attacked by it alone. */
  readonly entry: Entry;
  /** Whether it makes no sense in an open hub. */
  readonly needsTokens?: true;
  /**
   * Whether it uses up the connections of the process, which Deno accepts before the hub sees them:
   * others get in again only when the hub has closed all of them.
   */
  readonly takesDescriptors?: true;
  /**
   * Whether it keeps Deno busy with what the hub never sees: its figures are shown, and SECURITY.md
   * says what to put in front.
   */
  readonly isUnseen?: true;
}

/** All attacks, by name. */
export const ATTACKS: ReadonlyMap<string, AttackClass> = new Map<string, AttackClass>([
  ["idle-connections", { run: idleConnections, entry: "open", takesDescriptors: true }],
  ["unread-streams", { run: unreadStreams, entry: "open" }],
  ["unread-answers", { run: unreadAnswers, entry: "open" }],
  ["hoarders", { run: hoarders, entry: "open" }],
  ["blank-frames", { run: blankFrames, entry: "open" }],
  ["typing-storms", { run: typingStorms, entry: "open" }],
  ["new-names", { run: newNames, entry: "open" }],
  ["squatters", { run: squatters, entry: "open" }],
  ["endless-bodies", { run: endlessBodies, entry: "open" }],
  ["idle-rooms", { run: idleRooms, entry: "open" }],
  ["many-rooms", { run: manyRooms, entry: "open" }],
  ["slow-takers", { run: slowTakers, entry: "open" }],
  ["resumers", { run: resumers, entry: "open" }],
  ["crowds", { run: crowds, entry: "open" }],
  ["bursts", { run: bursts, entry: "open" }],
  ["questions", { run: questions, entry: "open" }],
  ["room-loops", { run: roomLoops, entry: "open" }],
  ["new-rooms", { run: newRooms, entry: "open" }],
  ["typing-everywhere", { run: typingEverywhere, entry: "open" }],
  ["coming-and-going", { run: comingAndGoing, entry: "open" }],
  ["full-frames", { run: fullFrames, entry: "open" }],
  ["deaf-in-many-rooms", { run: deafInManyRooms, entry: "open" }],
  ["half-joins", { run: halfJoins, entry: "open" }],
  ["drips", { run: drips, entry: "open" }],
  ["idlers", { run: idlers, entry: "open" }],
  ["pipelines", { run: pipelines, entry: "open" }],
  ["odd-requests", { run: oddRequests, entry: "open" }],
  ["deaf-handshakes", { run: deafHandshakes, entry: "open" }],
  ["pings", { run: pings, entry: "open" }],
  ["odd-frames", { run: oddFrames, entry: "open" }],
  ["streams", { run: streams, entry: "open" }],
  ["changers", { run: changers, entry: "open" }],
  ["reopeners", { run: reopeners, entry: "open" }],
  ["overviews", { run: overviews, entry: "tokens", needsTokens: true }],
  ["rapid-resets", { run: rapidResets, entry: "open" }],
  ["continuations", { run: continuations, entry: "open" }],
  ["unread-pings", { run: unreadPings, entry: "open", isUnseen: true }],
  ["shared-token", { run: sharedToken, entry: "tokens" }],
  ["stuck-readers", { run: stuckReaders, entry: "tokens" }],
  ["junk", { run: junk, entry: "tokens" }],
  ["oversized", { run: oversized, entry: "tokens" }],
  ["floods", { run: floods, entry: "tokens" }],
  ["churn", { run: churn, entry: "tokens" }],
  ["ghosts", { run: ghosts, entry: "tokens" }],
  ["bad-requests", { run: badRequests, entry: "tokens" }],
  ["bad-tokens", { run: badTokens, entry: "tokens", needsTokens: true }],
  ["foreign-origins", { run: foreignOrigins, entry: "tokens" }],
]);
