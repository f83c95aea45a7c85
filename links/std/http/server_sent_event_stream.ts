// Stands in for jsr:@std/http/server-sent-event-stream in this checkout: the same source from npm.
// @ts-types="./server_sent_event_stream.d.ts"
export { ServerSentEventStream } from "npm:deno-std@1.4.0/http/server_sent_event_stream.js";
export type { ServerSentEventMessage } from "./server_sent_event_stream.d.ts";
