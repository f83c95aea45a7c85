/**
 * The paths of rooms in openapi.json: messages, changes, events.
 *
 * @module
 */

import { DELETE_ROOM } from "./openapi_deletions.ts";
import {
  HISTORY_DEFAULT,
  HISTORY_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  REF_MAX_LENGTH,
  TEXT_MAX_BYTES_DEFAULT,
} from "../src/protocol/limits.ts";
import type { JsonSchema } from "./json_schemas.ts";
import { IN_A_ROOM, json, query, ref, refusals, ROOM, WRITING } from "./openapi_parts.ts";

const CURSOR: JsonSchema = {
  name: "cursor",
  in: "path",
  required: true,
  description: "The message",
  schema: ref("Cursor"),
};
const USER: JsonSchema = {
  ...query("user", ref("UserName"), "Who it is, without a token"),
  required: true,
};
const CHANGE_REF: JsonSchema = query("ref", ref("Ref"), "The sender's own name for the change");
/** A reaction that has at most 32 bytes of UTF-8 for sure. */
const EMOJI: JsonSchema = {
  ...query("emoji", { type: "string", pattern: "^[!-~]{1,32}$" }, "What the reaction shows"),
  required: true,
};

/** What can be done with a message that was stored. */
const LINKS: JsonSchema = Object.fromEntries(
  ["getMessage", "editMessage", "react", "unreact", "deleteMessage"].map((operationId) => [
    operationId,
    {
      operationId,
      parameters: { room: "$request.path.room", cursor: "$response.body#/cursor" },
    },
  ]),
);

/** The paths of rooms. */
export const ROOM_PATHS: JsonSchema = {
  "/rooms/{room}": {
    get: {
      operationId: "getRoom",
      summary: "The state of a room",
      tags: ["rooms"],
      parameters: [ROOM],
      responses: {
        200: json("RoomState", "Who is there, and where its log ends"),
        ...refusals(IN_A_ROOM),
      },
    },
    delete: DELETE_ROOM,
  },
  "/rooms/{room}/messages": {
    get: {
      operationId: "getMessages",
      summary: "A page of a room's messages, oldest first",
      description: "The newest ones, those just before a cursor, or those just after one.",
      tags: ["rooms"],
      parameters: [ROOM, page()],
      responses: {
        200: json("MessagePage", "The messages, and with `after` changes of those before"),
        ...refusals(IN_A_ROOM),
      },
    },
    post: {
      operationId: "postMessage",
      summary: "Says something in a room",
      description: `\`text\` has at most ${TEXT_MAX_BYTES_DEFAULT} bytes of UTF-8, if the server ` +
        `sets no other limit, \`ref\` at most ${REF_MAX_LENGTH} characters.`,
      tags: ["rooms"],
      parameters: [ROOM],
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: { allOf: [ref("PostBody"), { required: ["user"] }] } },
        },
      },
      responses: {
        200: json("MessageBody", "A repeat: the first message with this `ref`"),
        201: { ...json("MessageBody", "It is stored"), links: LINKS },
        ...refusals(WRITING),
      },
    },
  },
  "/rooms/{room}/messages/{cursor}": {
    get: {
      operationId: "getMessage",
      summary: "One message, as it is now",
      tags: ["rooms"],
      parameters: [ROOM, CURSOR],
      responses: { 200: json("MessageBody", "The message"), ...refusals(IN_A_ROOM) },
    },
    patch: {
      operationId: "editMessage",
      summary: "Edits a message: one's own, or any as a moderator",
      description: "What is left out stays; `data: null` takes the data away.",
      tags: ["rooms"],
      parameters: [ROOM, CURSOR],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: {
              allOf: [ref("PatchBody"), { required: ["user"] }],
              anyOf: [{ required: ["text"] }, { required: ["data"] }],
            },
          },
        },
      },
      responses: {
        200: json("MessageBody", "The message, as it is now"),
        ...refusals(WRITING),
      },
    },
    delete: {
      operationId: "deleteMessage",
      summary: "Deletes a message, and erases what it said",
      tags: ["rooms"],
      parameters: [ROOM, CURSOR, USER, CHANGE_REF],
      responses: {
        200: json("MessageBody", "What is left of it"),
        ...refusals(WRITING),
      },
    },
  },
  "/rooms/{room}/messages/{cursor}/reactions": {
    put: {
      operationId: "react",
      summary: "Reacts to a message",
      tags: ["rooms"],
      parameters: [ROOM, CURSOR, EMOJI, USER, CHANGE_REF],
      responses: {
        200: json("MessageBody", "The message, as it is now"),
        ...refusals(WRITING),
      },
    },
    delete: {
      operationId: "unreact",
      summary: "Takes a reaction back",
      tags: ["rooms"],
      parameters: [ROOM, CURSOR, EMOJI, USER, CHANGE_REF],
      responses: {
        200: json("MessageBody", "The message, as it is now"),
        ...refusals(WRITING),
      },
    },
  },
  "/rooms/{room}/events": {
    get: {
      operationId: "getEvents",
      summary: "The room as server-sent events",
      description: "`event` is the type of an envelope, `data` its payload, `id` its cursor. " +
        "A server that is full or stops answers 200, says `error`, and ends.",
      tags: ["rooms"],
      parameters: [
        ROOM,
        query("after", { type: "string" }, "Resume after this cursor"),
        query("history", {
          type: "integer",
          minimum: 0,
          maximum: HISTORY_MAX,
          default: HISTORY_DEFAULT,
        }, "How many messages of history come at most"),
        {
          ...query("Last-Event-ID", { type: "string" }, "As `after`, and before it"),
          in: "header",
        },
      ],
      responses: {
        200: {
          description: "The history, `joined`, and then what happens, without end",
          content: { "text/event-stream": {} },
        },
        ...refusals(IN_A_ROOM),
      },
    },
  },
};

/** The parameters that choose a page: OpenAPI can say what excludes what only within an object. */
function page(): JsonSchema {
  return {
    name: "page",
    in: "query",
    style: "form",
    explode: true,
    schema: {
      type: "object",
      properties: {
        limit: {
          type: "integer",
          minimum: 1,
          maximum: PAGE_MAX,
          default: PAGE_DEFAULT,
          description: "How many messages at most",
        },
        before: { ...ref("Cursor"), description: "Those just before this one" },
        after: { ...ref("Cursor"), description: "Those just after this one" },
      },
      not: { required: ["before", "after"] },
      // Parameters that are not known are passed over.
      additionalProperties: true,
    },
  };
}
