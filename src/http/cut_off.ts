/**
 * Answers that end the connection they are sent on.
 *
 * @module
 */

/**
 * Makes an answer the last one of its connection. The runtime passes over `connection: close`; what it
 * does is to close a connection on which an answer ends before its length: so this one says a byte
 * more than it has. Whoever has sent more requests on behind this one is rid of them.
 *
 * @param answer An answer of HTTP/1.1 with a small body.
 * @returns The answer to send in its place.
 *
 * @example
 * ```ts
 * import { cutOff } from "./cut_off.ts";
 *
 * const answer = await cutOff(new Response("no", { status: 429 }));
 * console.log(answer.headers.get("content-length")); // 3
 * ```
 */
export async function cutOff(answer: Response): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const { status, headers } = answer;
  headers.set("connection", "close");
  headers.set("content-length", String(bytes.length + 1));
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Response(body, { status, headers });
}
