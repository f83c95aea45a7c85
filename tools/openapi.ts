/**
 * The HTTP side as OpenAPI 3.1, with the schemas of the types in `src/protocol`.
 *
 * @module
 */

import configuration from "../src/deno.json" with { type: "json" };
<<<<<<< HEAD
=======
import { ERRORS } from "../src/protocol/problem.ts";
import {
  HISTORY_DEFAULT,
  HISTORY_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  REF_MAX_LENGTH,
  TEXT_MAX_BYTES_DEFAULT,
} from "../src/protocol/limits.ts";
import { deleteRoom, deletionPaths } from "./openapi_deletions.ts";
>>>>>>> 5fa49f2 (feat(http): DELETE /rooms/{room}, DELETE /users, POST /compact, with docs, openapi and tests)
import type { JsonSchema } from "./json_schemas.ts";
import { OPERATOR_PATHS } from "./openapi_operators.ts";
import { ref } from "./openapi_parts.ts";
import { ROOM_PATHS } from "./openapi_rooms.ts";
import { SANCTION_PATHS } from "./openapi_sanctions.ts";

/**
 * Describes the HTTP side.
 *
 * @param schemas All schemas, by the names of their files.
 * @returns A document of OpenAPI 3.1.
 */
export function describeHttp(schemas: ReadonlyMap<string, JsonSchema>): JsonSchema {
<<<<<<< HEAD
=======
  const room = { $ref: "#/components/parameters/room" };
  const inARoom = [...EVERYWHERE, ...IN_A_ROOM];
  const parts = { room, userName: ref("UserName"), refusals };
  const cursor = {
    name: "cursor",
    in: "path",
    required: true,
    description: "The message",
    schema: ref("Cursor"),
  };
  const user = { ...query("user", ref("UserName"), "Who it is, without a token"), required: true };
  const changeRef = query("ref", ref("Ref"), "The sender's own name for the change");
  // What has at most 32 bytes of UTF-8 for sure.
  const emojiSchema = { type: "string", pattern: "^[!-~]{1,32}$" };
  const emoji = { ...query("emoji", emojiSchema, "What the reaction shows"), required: true };
>>>>>>> 5fa49f2 (feat(http): DELETE /rooms/{room}, DELETE /users, POST /compact, with docs, openapi and tests)
  return {
    openapi: "3.1.1",
    info: {
      title: "Hubbub over HTTP",
      version: configuration.version,
      description: "Messages, events and the state of rooms for those who only ask. " +
        "The WebSockets at /rooms/{room}/ws and /ws are described in protocol.md.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "Or below the base path of the server" }],
    // Whether a token is needed is the server's to say.
    security: [{}, { token: [] }],
    tags: [
      { name: "rooms", description: "For users and programs" },
      { name: "sanctions", description: "For moderators and operators" },
      { name: "operators", description: "For those who run the server" },
    ],
<<<<<<< HEAD
    paths: { ...ROOM_PATHS, ...SANCTION_PATHS, ...OPERATOR_PATHS },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Where the server asks for one" },
        admin: {
          type: "http",
          scheme: "bearer",
          description: "HUBBUB_ADMIN_TOKEN; where the server has none, there are no such paths",
        },
=======
    paths: {
      "/rooms/{room}": {
        get: {
          operationId: "getRoom",
          summary: "The state of a room",
          tags: ["rooms"],
          parameters: [room],
          responses: {
            200: json("RoomState", "Who is there, and where its log ends"),
            ...refusals(inARoom),
          },
        },
        delete: deleteRoom(parts),
      },
      ...deletionPaths(parts),
      "/rooms/{room}/messages": {
        get: {
          operationId: "getMessages",
          summary: "A page of a room's messages, oldest first",
          description: "The newest ones, those just before a cursor, or those just after one.",
          tags: ["rooms"],
          parameters: [room, page()],
          responses: {
            200: json("MessagePage", "The messages, and with `after` changes of those before"),
            ...refusals(inARoom),
          },
        },
        post: {
          operationId: "postMessage",
          summary: "Says something in a room",
          description:
            `\`text\` has at most ${TEXT_MAX_BYTES_DEFAULT} bytes of UTF-8, if the server ` +
            `sets no other limit, \`ref\` at most ${REF_MAX_LENGTH} characters.`,
          tags: ["rooms"],
          parameters: [room],
          requestBody: {
            required: true,
            content: {
              "application/json": { schema: { allOf: [ref("PostBody"), { required: ["user"] }] } },
            },
          },
          responses: {
            200: json("MessageBody", "A repeat: the first message with this `ref`"),
            201: json("MessageBody", "It is stored"),
            ...refusals([...inARoom, 409, 413]),
          },
        },
      },
      "/rooms/{room}/messages/{cursor}": {
        get: {
          operationId: "getMessage",
          summary: "One message, as it is now",
          tags: ["rooms"],
          parameters: [room, cursor],
          responses: { 200: json("MessageBody", "The message"), ...refusals(inARoom) },
        },
        patch: {
          operationId: "editMessage",
          summary: "Edits a message: one's own, or any as a moderator",
          description: "What is left out stays; `data: null` takes the data away.",
          tags: ["rooms"],
          parameters: [room, cursor],
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
            ...refusals([...inARoom, 409, 413]),
          },
        },
        delete: {
          operationId: "deleteMessage",
          summary: "Deletes a message, and erases what it said",
          tags: ["rooms"],
          parameters: [room, cursor, user, changeRef],
          responses: {
            200: json("MessageBody", "What is left of it"),
            ...refusals([...inARoom, 409, 413]),
          },
        },
      },
      "/rooms/{room}/messages/{cursor}/reactions": {
        put: {
          operationId: "react",
          summary: "Reacts to a message",
          tags: ["rooms"],
          parameters: [room, cursor, emoji, user, changeRef],
          responses: {
            200: json("MessageBody", "The message, as it is now"),
            ...refusals([...inARoom, 409, 413]),
          },
        },
        delete: {
          operationId: "unreact",
          summary: "Takes a reaction back",
          tags: ["rooms"],
          parameters: [room, cursor, emoji, user, changeRef],
          responses: {
            200: json("MessageBody", "The message, as it is now"),
            ...refusals([...inARoom, 409, 413]),
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
            room,
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
            ...refusals(inARoom),
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
    },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Where the server asks for one" },
        admin: { type: "http", scheme: "bearer", description: "HUBBUB_ADMIN_TOKEN" },
>>>>>>> 5fa49f2 (feat(http): DELETE /rooms/{room}, DELETE /users, POST /compact, with docs, openapi and tests)
      },
      parameters: {
        room: {
          name: "room",
          in: "path",
          required: true,
          description: "The name of the room",
          schema: ref("RoomName"),
        },
      },
      schemas: componentsOf(schemas),
    },
  };
}

/** The schemas of the bodies, and of what they are made of. */
function componentsOf(schemas: ReadonlyMap<string, JsonSchema>): JsonSchema {
  const components: Record<string, unknown> = {};
  for (const [name, { $schema: _dialect, $defs = {}, title, ...schema }] of schemas) {
    if (!name.startsWith("http-")) continue;
    for (const [type, definition] of Object.entries($defs as JsonSchema)) {
      components[type] = definition;
    }
    components[title as string] = schema;
  }
  const text = JSON.stringify(components).replaceAll("#/$defs/", "#/components/schemas/");
  return JSON.parse(text);
}
