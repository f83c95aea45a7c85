/**
 * The routes by which operators delete, erase and compact, for OpenAPI.
 *
 * @module
 */

import type { JsonSchema } from "./json_schemas.ts";

/** What the description of a route is made of. */
export interface RouteParts {
  /** The room in a path. */
  readonly room: JsonSchema;
  /** The name of a user. */
  readonly userName: JsonSchema;
  /** What a route says where it refuses, by status. */
  readonly refusals: (statuses: readonly number[]) => Record<number, JsonSchema>;
}

const STATUSES = [400, 401, 404, 421, 429, 500, 503];
const COUNT = { type: "integer", minimum: 0 };

/** Describes one operator's route. */
function route(
  { refusals }: RouteParts,
  operation: JsonSchema & { readonly responses: JsonSchema },
  more: readonly number[] = [],
): JsonSchema {
  const responses = { ...operation.responses, ...refusals([...STATUSES, ...more]) };
  return { tags: ["operators"], security: [{ admin: [] }], ...operation, responses };
}

/**
 * Describes `DELETE /rooms/{room}`.
 *
 * @param parts What it is made of.
 * @returns An operation.
 */
export function deleteRoom(parts: RouteParts): JsonSchema {
  return route(parts, {
    operationId: "deleteRoom",
    summary: "Deletes a room, whether it is there or not",
    description: "At once nobody reads anything of it. What is written later is a new room.",
    parameters: [parts.room],
    responses: { 204: { description: "It is deleted" } },
  });
}

/**
 * Describes `DELETE /users` and `POST /compact`.
 *
 * @param parts What they are made of.
 * @returns Paths.
 */
export function deletionPaths(parts: RouteParts): JsonSchema {
  const progress = {
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
  const compaction = {
    type: "object",
    properties: {
      before_bytes: { ...COUNT, description: "Bytes of the file before" },
      after_bytes: { ...COUNT, description: "Bytes of the file after" },
      took_ms: { ...COUNT, description: "Milliseconds that it took" },
    },
    required: ["before_bytes", "after_bytes", "took_ms"],
  };
  const user = { name: "user", in: "query", required: true, schema: parts.userName };
  return {
    "/users": {
      delete: route(parts, {
        operationId: "eraseUser",
        summary: "Erases what a user wrote, and the user's reactions, in all rooms",
        description: "A line of JSON about once a second. It may be asked again at any time.",
        parameters: [{ ...user, description: "Who is erased" }],
        responses: {
          200: {
            description: "How far it is, in lines",
            content: { "application/x-ndjson": { schema: progress } },
          },
        },
      }),
    },
    "/compact": {
      post: route(parts, {
        operationId: "compact",
        summary: "Takes the bytes of what was deleted out of the database's file",
        responses: {
          200: {
            description: "What it came to",
            content: { "application/json": { schema: compaction } },
          },
        },
      }, [501]),
    },
  };
}
