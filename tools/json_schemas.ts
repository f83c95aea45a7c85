/**
 * JSON Schemas of what crosses the network, made of the types in `src/protocol`: their doc tags say
 * what a type of TypeScript cannot, such as lengths and patterns.
 *
 * @module
 */

import { createGenerator } from "ts-json-schema-generator";
import { EMOJI, MESSAGE_TEXT, USER_NAME } from "./text_patterns.ts";

const ROOT = new URL("../", import.meta.url);
/** What a generated schema calls its definitions, and what JSON Schema 2020-12 does. */
const [OLD_DEFINITIONS, DEFINITIONS] = ["#/definitions/", "#/$defs/"];

/** A JSON Schema, as JSON. */
export type JsonSchema = { readonly [key: string]: unknown };

/** Patterns that the types name, and that are too long to stand there. */
const PATTERNS: Readonly<Record<string, string>> = {
  "EMOJI": EMOJI,
  "MESSAGE_TEXT": MESSAGE_TEXT,
  "USER_NAME": USER_NAME,
};

/** What a type says in its comment only, by its name. */
const BESIDES: Readonly<Record<string, JsonSchema>> = {
  "EditDraft": { anyOf: [{ required: ["text"] }, { required: ["data"] }] },
  "ImportedMessage": {
    anyOf: [
      { required: ["text"] },
      { properties: { deleted: { const: true } }, required: ["deleted"] },
    ],
  },
  "PatchBody": { anyOf: [{ required: ["text"] }, { required: ["data"] }] },
  "SanctionBody": {
    not: { properties: { kind: { const: "kick" } }, required: ["kind", "seconds"] },
  },
};

/** A type of `src/protocol` that gets a schema. */
interface SchemaSource {
  /** The name of the type. */
  readonly type: string;
  /**
   * Whether fields that are not known are refused. What the server sends may gain fields, and so may
   * what it takes in version 1.
   */
  readonly isStrict?: true;
  /** Whether they are refused at the top alone. */
  readonly isClosed?: true;
}

/** The schemas by the names of their files. */
export const SOURCES: Readonly<Record<string, SchemaSource>> = {
  "v1-client-envelope": { type: "ClientEnvelope" },
  "v1-server-envelope": { type: "ServerEnvelope" },
  "v2-client-envelope": { type: "ClientEnvelopeV2", isStrict: true },
  "v2-server-envelope": { type: "ServerEnvelopeV2" },
  "http-post-body": { type: "PostBody", isStrict: true },
  "http-patch-body": { type: "PatchBody", isStrict: true },
  "http-sanction-body": { type: "SanctionBody", isStrict: true },
  "http-sanction-list": { type: "SanctionList" },
  "http-room-list": { type: "RoomList" },
  "http-import-body": { type: "ImportBody", isClosed: true },
  "http-import-result": { type: "ImportResult" },
  "http-user-rooms": { type: "UserRoomList" },
  "http-read-body": { type: "ReadBody", isStrict: true },
  "http-read-result": { type: "ReadResult" },
  "http-message": { type: "MessageBody" },
  "http-message-page": { type: "MessagePage" },
  "http-room-state": { type: "RoomState" },
  "http-health": { type: "HealthBody" },
  "http-error": { type: "ErrorBody" },
};

/**
 * Makes all schemas.
 *
 * @returns Each under the name of its file in `docs/schemas`, without `.json`.
 */
export function makeSchemas(): Map<string, JsonSchema> {
  const generator = createGenerator({
    path: new URL("src/protocol/mod.ts", ROOT).pathname,
    tsconfig: new URL("tools/tsconfig.json", ROOT).pathname,
    skipTypeCheck: true,
    topRef: false,
    jsDoc: "extended",
    sortProps: false,
    additionalProperties: false,
  });
  return new Map(
    Object.entries(SOURCES).map(([name, { type, isStrict = false, isClosed }]) => {
      const { $schema: _old, definitions = {}, ...schema } = generator.createSchema(
        type,
      ) as unknown as
        & JsonSchema
        & { definitions?: Readonly<Record<string, JsonSchema>> };
      const parts = Object.entries(definitions).map(([name, part]) => [
        name,
        { ...part, ...BESIDES[name] },
      ]);
      const $defs = Object.fromEntries(parts);
      const all = { title: type, ...schema, ...BESIDES[type], $defs };
      const isEmpty = Object.keys(definitions).length === 0;
      const { $defs: settled, ...rest } = settle(all, isStrict) as Record<string, unknown>;
      const $schema = "https://json-schema.org/draft/2020-12/schema";
      if (isClosed) rest.additionalProperties = false;
      return [name, { $schema, ...rest, ...(isEmpty ? {} : { $defs: settled }) }];
    }),
  );
}

/** Turns what the generator made into what a reader of draft 2020-12 expects. */
function settle(value: unknown, isStrict: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => settle(item, isStrict));
  if (typeof value !== "object" || value === null) return value;
  const settled: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === "additionalProperties") {
      // What a program adds to a message may hold anything; `{ not: {} }` is nothing.
      const isOpen = inner !== false && !("not" in (inner as JsonSchema));
      if (isStrict || isOpen) settled[key] = inner;
    } else if (key === "properties" || key === "$defs") {
      const entries = Object.entries(inner as JsonSchema);
      settled[key] = Object.fromEntries(entries.map(([name, of]) => [name, settle(of, isStrict)]));
    } else if (key === "pattern") settled[key] = PATTERNS[`${inner}`] ?? inner;
    else if (key === "$ref") settled[key] = `${inner}`.replace(OLD_DEFINITIONS, DEFINITIONS);
    else if (key === "default") settled[key] = JSON.parse(`${inner}`.replace(/^\{(.*)\}$/, "$1"));
    else if (key === "description") settled[key] = plain(`${inner}`);
    else settled[key] = settle(inner, isStrict);
  }
  return settled;
}

/** The text of a doc comment without its links and line breaks. */
function plain(text: string): string {
  return text.replace(/\{@linkcode (\w+)\}/g, "`$1`").replace(/\s*\n\s*/g, " ");
}
