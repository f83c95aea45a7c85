/**
 * What paths of openapi.json are made of.
 *
 * @module
 */

import { ERRORS } from "../src/protocol/problem.ts";
import type { JsonSchema } from "./json_schemas.ts";

/** Statuses with which every route may refuse. */
export const EVERYWHERE: readonly number[] = [400, 404, 421, 429, 500, 503];
/** Statuses with which the routes of a room may refuse. */
export const IN_A_ROOM: readonly number[] = [...EVERYWHERE, 401, 403];
/** Statuses with which routes that write into a room may refuse. */
export const WRITING: readonly number[] = [...IN_A_ROOM, 409, 413];

/** The room in a path. */
export const ROOM: JsonSchema = { $ref: "#/components/parameters/room" };

export function query(name: string, schema: JsonSchema, description: string): JsonSchema {
  return { name, in: "query", description, schema };
}

export function ref(type: string): JsonSchema {
  return { $ref: `#/components/schemas/${type}` };
}

export function json(types: string | string[], description: string): JsonSchema {
  const schema = typeof types === "string" ? ref(types) : { anyOf: types.map(ref) };
  return { description, content: { "application/json": { schema } } };
}

/** What a route says where it refuses, by status. */
export function refusals(statuses: readonly number[]): Record<number, JsonSchema> {
  return Object.fromEntries(statuses.map((status) => {
    const codes = Object.entries(ERRORS).filter(([, error]) => error.status === status);
    const description = codes.map(([code]) => `\`${code}\``).join(", ");
    const after = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };
    const isTemporary = codes.some(([, { temporary }]) => temporary);
    return [status, { ...json("ErrorBody", description), ...(isTemporary && { headers: after }) }];
  }));
}

/** The body that a request must have. */
export function body(schema: JsonSchema): JsonSchema {
  return { required: true, content: { "application/json": { schema } } };
}
