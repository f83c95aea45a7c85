/**
 * What a room has besides messages, and what is erased of it.
 *
 * @module
 */

/** What a room has besides messages. */
export interface RoomMeta {
  /** Whether a message was ever changed. */
  readonly hasChanges: boolean;
  /** Whether there ever was a control record that set a state of the room. */
  readonly hasControls: boolean;
  /** The place from which the log counts: of the record that deleted the room, or the origin. */
  readonly from: string;
  /** By user that is being erased, the place up to which. */
  readonly erasing: ReadonlyMap<string, string>;
}

/** What a step of erasing a user has erased. */
export interface ErasedCounts {
  /** Messages that said something before. */
  readonly messages: number;
  /** Reactions that stood before. */
  readonly reactions: number;
}

/** Is told what a step of erasing a user has erased. Must not throw. */
export type OnErased = (erased: ErasedCounts) => void;
