/**
 * The choice of a content coding.
 *
 * @module
 */

/**
 * Chooses the coding of an answer by a request's `Accept-Encoding`, as RFC 9110, section 12.5.3,
 * says.
 *
 * @param accepted The value of the header; null where the request has none.
 * @param offered The codings that there are, the best first.
 * @returns The best coding that the client accepts; `identity` where it accepts none.
 *
 * @example
 * ```ts
 * import { chooseCoding } from "./content_coding.ts";
 *
 * console.log(chooseCoding("gzip, deflate, br", ["br", "gzip"])); // br
 * console.log(chooseCoding("br;q=0, *;q=0.5", ["br", "gzip"])); // gzip
 * ```
 */
export function chooseCoding(accepted: string | null, offered: readonly string[]): string {
  const weights = new Map((accepted ?? "").split(",").map(weightOf));
  let [best, most] = ["identity", 0];
  for (const coding of offered) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight > most) [best, most] = [coding, weight];
  }
  // A client may like the plain content better than any coding.
  return (weights.get("identity") ?? 0) > most ? "identity" : best;
}

function weightOf(part: string): [coding: string, weight: number] {
  const [coding, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return [coding, weight >= 0 && weight <= 1 ? weight : 0];
}
