/**
 * The paths by which operators delete, erase and compact, in openapi.json.
 *
 * @module
 */

import type { JsonSchema } from "./json_schemas.ts";
import { EVERYWHERE, ref, refusals, ROOM } from "./openapi_parts.ts";

/** With the admin token alone. */
const SECURITY = [{ admin: [] }];
/** Statuses with which these routes may refuse. */
const FOR_OPERATORS: readonly number[] = [...EVERYWHERE, 401];
const COUNT = { type: "integer", minimum: 0 };

/** A line of the answer to the erasing of a user. */
const PROGRESS: JsonSchema = {
  type: "object",
  properties: {
    rooms: { ...COUNT, description: "Rooms that are done" },
    messages: { ...COUNT, description: "Messages erased so far" },
    reactions: { ...COUNT, description: "Reactions erased so far" },
    done: { type: "boolean", description: "True in the last line" },
    error: { description: "Why it could not be finished, in a last line: ask again" },
  },
  required: ["done"],
};

/** What compacting came to. */
const COMPACTION: JsonSchema = {
  type: "object",
  properties: {
    before_bytes: { ...COUNT, description: "Bytes of the file before" },
    after_bytes: { ...COUNT, description: "Bytes of the file after" },
    took_ms: { ...COUNT, description: "Milliseconds that it took" },
  },
  required: ["before_bytes", "after_bytes", "took_ms"],
};

/** `DELETE /rooms/{room}`. */
export const DELETE_ROOM: JsonSchema = {
  operationId: "deleteRoom",
  summary: "Deletes a room, whether it is there or not",
  description: "At once nobody reads anything of it. What is written later is a new room.",
  tags: ["operators"],
  security: SECURITY,
  parameters: [ROOM],
  responses: { 204: { description: "It is deleted" }, ...refusals(FOR_OPERATORS) },
};

/** The paths that are for these alone. */
export const DELETION_PATHS: JsonSchema = {
  "/users": {
    delete: {
      operationId: "eraseUser",
      summary: "Erases what a user wrote, and the user's reactions, in all rooms",
      description: "A line of JSON about once a second. It may be asked again at any time.",
      tags: ["operators"],
      security: SECURITY,
      parameters: [{
        name: "user",
        in: "query",
        required: true,
        description: "Who is erased",
        schema: ref("UserName"),
      }],
      responses: {
        200: {
          description: "How far it is, in lines",
          content: { "application/x-ndjson": { schema: PROGRESS } },
        },
        ...refusals(FOR_OPERATORS),
      },
    },
  },
  "/compact": {
    post: {
      operationId: "compact",
      summary: "Takes the bytes of what was deleted out of the database's file",
      tags: ["operators"],
      security: SECURITY,
      responses: {
        200: {
          description: "What it came to",
          content: { "application/json": { schema: COMPACTION } },
        },
        ...refusals([...FOR_OPERATORS, 501]),
      },
    },
  },
};
