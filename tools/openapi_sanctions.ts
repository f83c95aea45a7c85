/**
 * The paths of sanctions in openapi.json.
 *
 * @module
 */

import type { JsonSchema } from "./json_schemas.ts";
import { body, IN_A_ROOM, json, query, ref, refusals, ROOM, WRITING } from "./openapi_parts.ts";

const SANCTIONED: JsonSchema = {
  ...query("user", ref("UserName"), "On whom they were imposed"),
  required: true,
};

/** Describes the routes of sanctions in a room, or in all. */
function sanctions(where: string, parameters: readonly JsonSchema[], more: JsonSchema): JsonSchema {
  const suffix = where === "a room" ? "" : "Everywhere";
  const common = { tags: ["sanctions"], ...more };
  return {
    get: {
      operationId: `getSanctions${suffix}`,
      summary: `Who is muted or banned in ${where}`,
      ...common,
      parameters,
      responses: { 200: json("SanctionList", "What holds now"), ...refusals(IN_A_ROOM) },
    },
    post: {
      operationId: `postSanction${suffix}`,
      summary: `Mutes, bans or kicks a user in ${where}`,
      ...common,
      parameters,
      requestBody: body(ref("SanctionBody")),
      responses: { 201: json("SanctionBody", "It holds"), ...refusals(WRITING) },
    },
    delete: {
      operationId: `deleteSanctions${suffix}`,
      summary: `Lifts what was imposed on a user in ${where}`,
      ...common,
      parameters: [...parameters, SANCTIONED],
      responses: { 204: { description: "None holds any more" }, ...refusals(WRITING) },
    },
  };
}

/** The paths of sanctions, for moderators of a room and for operators. */
export const SANCTION_PATHS: JsonSchema = {
  "/rooms/{room}/sanctions": sanctions("a room", [ROOM], {}),
  "/sanctions": sanctions("all rooms", [], { security: [{ admin: [] }] }),
};
