/**
 * The paths of operators in openapi.json.
 *
 * @module
 */

import type { JsonSchema } from "./json_schemas.ts";
import { body, EVERYWHERE, json, query, ref, refusals, ROOM, WRITING } from "./openapi_parts.ts";

/** With the admin token alone. */
const SECURITY = [{ admin: [] }];
/** Statuses with which the routes of operators may refuse. */
const FOR_OPERATORS: readonly number[] = [...EVERYWHERE, 401];

/** A room, or nothing. */
const AFTER: JsonSchema = { anyOf: [ref("RoomName"), { type: "string", maxLength: 0 }] };

/** The paths of operators. */
export const OPERATOR_PATHS: JsonSchema = {
  "/rooms": {
    get: {
      operationId: "getRooms",
      summary: "The rooms in which something was ever written, by name",
      tags: ["operators"],
      security: SECURITY,
      parameters: [
        query("limit", { type: "integer", minimum: 1, maximum: 1_000, default: 50 }, "How many"),
        query("after", AFTER, "Those after this name"),
      ],
      responses: { 200: json("RoomList", "The rooms"), ...refusals(FOR_OPERATORS) },
    },
  },
  "/rooms/{room}/export": {
    get: {
      operationId: "exportRoom",
      summary: "All messages of a room, oldest first",
      tags: ["operators"],
      security: SECURITY,
      parameters: [ROOM],
      responses: {
        200: {
          description: "Each a line of JSON",
          content: { "application/x-ndjson": { schema: { type: "string" } } },
        },
        ...refusals(FOR_OPERATORS),
      },
    },
  },
  "/rooms/{room}/import": {
    post: {
      operationId: "importMessages",
      summary: "Writes messages of an export into a room",
      tags: ["operators"],
      security: SECURITY,
      parameters: [ROOM],
      requestBody: body(ref("ImportBody")),
      responses: {
        201: json("ImportResult", "They are stored"),
        ...refusals([...WRITING, ...FOR_OPERATORS]),
      },
    },
  },
  "/health": {
    get: {
      operationId: "getHealth",
      summary: "Whether the server is well",
      tags: ["operators"],
      security: [],
      responses: {
        200: json("HealthBody", "It is"),
        ...refusals(EVERYWHERE.filter((status) => status !== 503)),
        503: json(["HealthBody", "ErrorBody"], "It stops, or its store does not answer"),
      },
    },
  },
  "/metrics": {
    get: {
      operationId: "getMetrics",
      summary: "What all isolates of the process have counted",
      tags: ["operators"],
      security: [],
      responses: {
        200: {
          description: "The text format of Prometheus",
          content: { "text/plain": { schema: { type: "string" } } },
        },
        ...refusals(EVERYWHERE),
      },
    },
  },
};
