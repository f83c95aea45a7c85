// Types of @std/http/server-sent-event-stream 1.x.

export interface ServerSentEventMessage {
  comment?: string;
  event?: string;
  data?: string;
  id?: string | number;
  retry?: number;
}
export declare class ServerSentEventStream
  extends TransformStream<ServerSentEventMessage, Uint8Array> {
  constructor();
}
