/**
 * Writes `docs/schemas` and `docs/openapi.json`: `deno task schemas`.
 *
 * @module
 */

import { makeSchemas } from "./json_schemas.ts";
import { describeHttp } from "./openapi.ts";

const DOCS = new URL("../docs/", import.meta.url);

/**
 * Makes the files.
 *
 * @returns Their texts by their paths in `docs`.
 */
export function makeFiles(): Map<string, string> {
  const schemas = makeSchemas();
  const print = (value: unknown) => escape(JSON.stringify(value, null, 2)) + "\n";
  return new Map([
    ...[...schemas].map(([name, schema]): [string, string] => [
      `schemas/${name}.json`,
      print(schema),
    ]),
    ["openapi.json", print(describeHttp(schemas))],
  ]);
}

/** Escapes what is not ASCII: some of the patterns hold what nobody sees. */
function escape(json: string): string {
  return json.replace(/[^\n\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

if (import.meta.main) {
  Deno.mkdirSync(new URL("schemas/", DOCS), { recursive: true });
  for (const [path, text] of makeFiles()) Deno.writeTextFileSync(new URL(path, DOCS), text);
}
