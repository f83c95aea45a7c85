/**
 * The paths of a user's own rooms in openapi.json.
 *
 * @module
 */

import type { JsonSchema } from "./json_schemas.ts";
import { body, EVERYWHERE, IN_A_ROOM, json, query, ref, refusals } from "./openapi_parts.ts";
import { WRITING } from "./openapi_parts.ts";

/** Statuses with which the routes of a user may refuse. */
const FOR_USERS: readonly number[] = [...EVERYWHERE, 401];

const ROOM: JsonSchema = { ...query("room", ref("RoomName"), "Which one"), required: true };
const COMMON: JsonSchema = { tags: ["users"], security: [{ token: [] }] };

/** The paths of a user's own rooms. */
export const USER_PATHS: JsonSchema = {
  "/users/me/rooms": {
    get: {
      operationId: "getUserRooms",
      summary: "The rooms that one was in, and what is unread in each",
      ...COMMON,
      parameters: [
        query("limit", { type: "integer", minimum: 1, maximum: 100, default: 50 }, "How many"),
        query(
          "after",
          { type: "string", pattern: "^[0-9A-Za-z]{20}\\.[A-Za-z0-9_.-]{1,64}$" },
          "The `next` of the page before",
        ),
      ],
      responses: { 200: json("UserRoomList", "The rooms"), ...refusals(FOR_USERS) },
    },
    put: {
      operationId: "putReadMark",
      summary: "Moves one's read mark of a room on",
      ...COMMON,
      parameters: [ROOM],
      requestBody: body(ref("ReadBody")),
      responses: { 200: json("ReadResult", "It is kept"), ...refusals([...WRITING, ...IN_A_ROOM]) },
    },
    delete: {
      operationId: "forgetRoom",
      summary: "Takes a room out of one's rooms",
      ...COMMON,
      parameters: [ROOM],
      responses: { 204: { description: "It is none of them any more" }, ...refusals(FOR_USERS) },
    },
  },
};
