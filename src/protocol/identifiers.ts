/**
 * Types of the texts that name rooms, users, messages and places.
 *
 * @module
 */

/**
 * Name of a room.
 *
 * @minLength 1
 * @maxLength 64
 * @pattern ^(?:[A-Za-z0-9_-]|\.[A-Za-z0-9_-]|\.\.[A-Za-z0-9_.-])[A-Za-z0-9_.-]*$
 */
export type RoomName = string;

/**
 * Name of a user: 1 to 64 characters (code points) that people can see. A room shows it in NFC.
 *
 * @minLength 1
 * @maxLength 64
 * @pattern USER_NAME
 */
export type UserName = string;

/**
 * Text of a message, of which people can see something.
 *
 * @minLength 1
 * @pattern MESSAGE_TEXT
 */
export type MessageText = string;

/**
 * Place in a room's log: opaque text that sorts like the log.
 *
 * @pattern ^[0-9A-Za-z]{20}$
 */
export type Cursor = string;

/**
 * What a reaction shows: 1 to 32 bytes of UTF-8 without white space and control characters. (The
 * schema cannot count bytes.)
 *
 * @minLength 1
 * @maxLength 32
 * @pattern EMOJI
 */
export type Emoji = string;

/**
 * Deduplication key, chosen by a message's sender: unique among the sender's messages. 1 to 128
 * characters (code points).
 *
 * @minLength 1
 * @maxLength 128
 */
export type Ref = string;
