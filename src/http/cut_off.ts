/**
 * Answers that end the connection they are sent on.
 *
 * @module
 */

/**
 * Makes an answer the last one of its connection. The runtime passes over `connection: close`; what it
 * does is to close a connection on which an answer ends before its length: so this one says it has a
 * byte, and has none. Requests that the client sent behind this one are dropped.
 *
 * @param answer An answer of HTTP/1.1; its body is left out.
 * @returns The answer to send in its place.
 *
 * @example
 * ```ts
 * import { cutOff } from "./cut_off.ts";
 *
 * const answer = cutOff(new Response("no", { status: 429 }));
 * console.log(answer.headers.get("content-length")); // 1
 * ```
 */
export function cutOff(answer: Response): Response {
  const { status, headers } = answer;
  headers.set("connection", "close");
  headers.set("content-length", "1");
  // Its body could not be read anyhow.
  const body = new ReadableStream({ start: (controller) => controller.close() });
  return new Response(body, { status, headers });
}
