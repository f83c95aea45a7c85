/**
 * Answers that are under way to those who asked.
 *
 * @module
 */

import type { ConnectionInfo } from "../access/client_address.ts";
import { retryAfter } from "../access/http_error.ts";
import { isHttp2 } from "../access/request_header.ts";
import { RefusalLog } from "../access/refusal_log.ts";
import type { SharedSlot } from "../access/request_slot.ts";
import type { ConnectionMonitor, MonitoredConnection } from "../connection/connection_monitor.ts";
import { ERRORS } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Bytes of an answer that are handed to the runtime at once. */
const CHUNK_BYTES = 32 * 1024;
/**
 * Bytes up to which an answer over HTTP/1.1 is not watched: a connection has one at a time. Over
 * HTTP/2 it has hundreds, and each is watched.
 */
const SMALL_BYTES = 4 * 1024;

/** The options of {@linkcode Answers}. */
export interface AnswersOptions {
  /** Limits what waits for those who do not read. */
  readonly monitor: ConnectionMonitor;
  /** The hub, whose counters count answers that were cut off. */
  readonly hub: { readonly metrics: Metrics };
  /** Receives operational events. */
  readonly logger: Logger;
  /** Called with the length of each answer, and its place within the limits. */
  readonly onBytes?: (slot: SharedSlot, bytes: number) => void;
}

/** What is known of an answer. */
export interface AnswerContext {
  /** The request. */
  readonly request: Request;
  /** What `Deno.serve` says about it. */
  readonly info: ConnectionInfo | undefined;
  /** Its place within the limits, to be released when the answer was sent. */
  readonly slot: SharedSlot | undefined;
}

/**
 * Watches answers until they were sent. A peer that does not read leaves the whole of an answer in
 * the memory of the server, over HTTP/2 hundreds of them: so they count against the address's share
 * of bytes, hold their place among its requests, and are cut off after half a minute in which
 * nothing of them was read.
 */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #refusals: RefusalLog;

  /** @param options What limits, counts and logs. */
  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#refusals = new RefusalLog({ logger: options.logger });
  }

  /**
   * Watches an answer.
   *
   * @param response The answer; one to an upgrade, a stream of events, or one without a body is
   * left as it is.
   * @param context The request, and its place within the limits.
   * @returns The answer, to be sent in its place; a refusal, if the address has its share by now.
   */
  async watch(response: Response, context: AnswerContext): Promise<Response> {
    const { request, info, slot } = context;
    if (response.body === null || info === undefined || isStream(response)) {
      slot?.release();
      return response;
    }
    const { status, headers } = response;
    const isAlone = !isHttp2(request);
    if (slot === undefined) {
      // A refusal that has no place counts nowhere. Over HTTP/2 its body would be kept for as long as
      // the peer gives it no window, and a connection has hundreds: it goes without one.
      return isAlone ? response : new Response(null, { status, headers });
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.#options.onBytes?.(slot, bytes.length);
    if (isAlone && bytes.length <= SMALL_BYTES) {
      slot.release();
      return new Response(bytes, { status, headers });
    }
    const { monitor } = this.#options;
    // Many may have been let in before the first was answered.
    if (bytes.length > SMALL_BYTES && monitor.isFull(slot.share)) {
      slot.release();
      return this.#refuse(headers, slot.address);
    }
    const answer = new Answer(bytes, {
      address: slot.share,
      onEnd: () => {
        monitor.delete(answer);
        slot.release();
      },
      onCut: () => {
        this.#options.hub.metrics.answersCut++;
        this.#refusals.add("answer_stalled", slot.address);
      },
    });
    monitor.add(answer);
    answer.endsWith(info.completed);
    // With a length, an answer that is cut off is seen to be incomplete.
    headers.set("content-length", String(bytes.length));
    return new Response(answer.body, { status, headers });
  }

  #refuse(headers: Headers, address: string | undefined): Response {
    const code = "too_many_connections";
    const { metrics } = this.#options.hub;
    metrics.count("connectionsRefused", "memory");
    metrics.count("rejected", code);
    this.#refusals.add("memory", address);
    const message = "Too much that was sent to this address has not been read yet";
    headers.set("content-type", "application/json");
    headers.delete("content-encoding");
    headers.delete("etag");
    for (const [name, value] of Object.entries(retryAfter())) headers.set(name, value);
    const { status } = ERRORS[code];
    return new Response(JSON.stringify({ error: { code, message } }), { status, headers });
  }
}

/** Where an answer belongs, and what hears how it ends. */
interface AnswerOptions {
  readonly address: string | undefined;
  readonly onEnd: () => void;
  readonly onCut: () => void;
}

/** An answer under way. */
class Answer implements MonitoredConnection {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly address: string | undefined;
  readonly expiresAt = Infinity;
  readonly #options: AnswerOptions;
  #bytes: Uint8Array<ArrayBuffer>;
  #sent = 0;
  #controller: ReadableStreamDefaultController | undefined;
  #hasEnded = false;
  #isWatchedElsewhere = false;

  constructor(bytes: Uint8Array<ArrayBuffer>, options: AnswerOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.address = options.address;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    }, { highWaterMark: 0 });
  }

  /** Bytes that were not sent yet, and those in the runtime's hands, as far as can be known. */
  get waitingBytes(): number {
    if (this.#hasEnded) return 0;
    return this.#bytes.length - this.#sent + Math.min(this.#sent, 2 * CHUNK_BYTES);
  }

  /** Tells when the runtime has sent it; where it cannot tell, the last chunk counts as sent. */
  endsWith(completed: Promise<void> | undefined): void {
    this.#isWatchedElsewhere = completed !== undefined;
    const end = () => this.#end();
    completed?.then(end, end);
  }

  tooSlow(): void {
    if (this.#hasEnded || !this.#controller) return;
    this.#options.onCut();
    this.#close();
    this.#bytes = new Uint8Array();
    this.#sent = 0;
    if (!this.#isWatchedElsewhere) this.#end();
  }

  expire(): void {}

  #pull(): void {
    const chunk = this.#bytes.subarray(this.#sent, this.#sent + CHUNK_BYTES);
    this.#sent += chunk.length;
    this.#controller?.enqueue(chunk);
    if (this.#sent < this.#bytes.length) return;
    this.#close();
    if (!this.#isWatchedElsewhere) this.#end();
  }

  #close(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#controller = undefined;
    this.#options.onEnd();
  }
}

function isStream({ headers }: Response): boolean {
  const type = headers.get("content-type");
  return type === "text/event-stream" || type === "application/x-ndjson";
}
