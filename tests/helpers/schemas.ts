import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const FOLDER = new URL("../../docs/schemas/", import.meta.url);

/** A schema of `docs/schemas`. */
export type SchemaName =
  | "v1-client-envelope"
  | "v1-server-envelope"
  | "v2-client-envelope"
  | "v2-server-envelope"
  | "http-post-body"
  | "http-patch-body"
  | "http-sanction-body"
  | "http-message"
  | "http-message-page"
  | "http-room-state"
  | "http-health"
  | "http-error";

/** Reads a schema. */
export function readSchema(name: SchemaName): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, FOLDER)));
}

/**
 * Makes the check of a schema.
 *
 * @param name The schema.
 * @param options Whether what it does not name is refused too, as this version sends nothing else.
 * @returns Gives what is wrong with a value, or undefined.
 */
export function checkOf(
  name: SchemaName,
  options: { readonly isExact?: boolean } = {},
): (value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: false });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  const schema = readSchema(name);
  const validate: ValidateFunction = ajv.compile(
    options.isExact ? exact(schema) as Record<string, unknown> : schema,
  );
  return (value) => {
    if (validate(value)) return undefined;
    return `${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`;
  };
}

/** The same schema, which refuses what it does not name. */
function exact(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(exact);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, exact(value)]);
  const all = Object.fromEntries(entries);
  // One that names nothing is for whatever a program puts there.
  const isClosed = all.type === "object" && all.properties !== undefined;
  return isClosed ? { ...all, additionalProperties: false } : all;
}
