/**
 * Writing of texts to a WebSocket.
 *
 * @module
 */

import { OutboundQueue, type OutboundQueueOptions } from "./outbound_queue.ts";
import type { ScheduledWriter, WriteScheduler } from "./write_scheduler.ts";

/** Turns in which much of what waits is sent: where more texts wait, several go at once. */
const TURNS = 16;
/** Bytes in the runtime above which the texts of several rooms wait here, where they take turns. */
const PACE_BYTES = 64 * 1024;
/** Milliseconds between two looks whether the runtime has written them, at first and at most. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

/** How a {@linkcode SocketWriter} writes. */
export interface SocketWriterOptions extends Omit<OutboundQueueOptions, "bufferedBytes"> {
  /** The socket. */
  readonly socket: Pick<WebSocket, "bufferedAmount" | "send">;
  /** Gives turns to sockets that are sent the same. */
  readonly scheduler: Pick<WriteScheduler, "add">;
  /** Whether the texts are of several rooms, which take turns while the peer is behind. */
  readonly isPaced: boolean;
  /** Called where sending failed. Must not throw. */
  readonly onFailure: (error: unknown) => void;
}

/** Writes to a WebSocket: at once, when it is its turn, or as fast as its peer reads. */
export class SocketWriter implements ScheduledWriter {
  /** What waits. */
  readonly queue: OutboundQueue;
  readonly #options: SocketWriterOptions;
  readonly #socket: Pick<WebSocket, "bufferedAmount" | "send">;
  #pacer: ReturnType<typeof setTimeout> | undefined;

  /** @param options Where to write, and who is told what comes of it. */
  constructor(options: SocketWriterOptions) {
    const { socket } = options;
    this.#options = options;
    this.#socket = socket;
    this.queue = new OutboundQueue({ ...options, bufferedBytes: () => socket.bufferedAmount });
  }

  get isBehind(): boolean {
    return this.#socket.bufferedAmount > 0;
  }

  get nextLength(): number {
    return this.queue.nextLength;
  }

  sendNext(): boolean {
    const { queue } = this;
    if (queue.size === 0) return false;
    const mayBeBehind = this.#options.isPaced && queue.mayBeOver(PACE_BYTES);
    if (mayBeBehind && this.#socket.bufferedAmount > PACE_BYTES) {
      this.#pace(FIRST_PAUSE_MS);
      return false;
    }
    this.#send(Math.ceil(queue.size / TURNS), Infinity);
    return queue.size > 0;
  }

  /**
   * Sends texts, each as a frame, after what waits.
   *
   * @param texts The texts.
   * @param inTurns Whether many connections are sent the same, and take turns.
   */
  write(texts: readonly string[], inTurns: boolean): void {
    if (this.queue.size > 0 || inTurns) {
      if (this.queue.size === 0) this.#options.scheduler.add(this);
      for (const text of texts) this.queue.push(text);
    } else for (const text of texts) this.#socket.send(text);
  }

  /**
   * Sends a text of one of several rooms. While the peer is behind, the rooms take turns.
   *
   * @param room The room; empty for what concerns none.
   * @param text The text.
   * @param inTurns Whether many connections are sent the same, and take turns.
   */
  writeIn(room: string, text: string, inTurns: boolean): void {
    if (this.queue.size > 0) this.queue.push(text, room);
    else if (this.queue.isOver(PACE_BYTES)) {
      this.queue.push(text, room);
      this.#pace(FIRST_PAUSE_MS);
    } else if (inTurns) {
      this.queue.push(text, room);
      this.#options.scheduler.add(this);
    } else this.#socket.send(text);
  }

  /** Sends all that waits, at once. */
  flush(): void {
    this.#send(Infinity, Infinity);
  }

  /**
   * Whether a page of history may be sent, where several rooms have some to send.
   *
   * @returns Undefined where it may; otherwise settles when that may be asked again.
   */
  ready(): Promise<void> | undefined {
    return this.queue.isOver(PACE_BYTES) ? this.drained() : undefined;
  }

  /** Settles when little waits, where something always may: several rooms send. Never rejects. */
  drained(): Promise<void> {
    return this.queue.drained(PACE_BYTES / 2);
  }

  /** Drops what waits, and sends nothing more. */
  stop(): void {
    this.queue.close();
    clearTimeout(this.#pacer);
    this.#pacer = undefined;
  }

  /** Sends so many of the texts that wait, and no more once they are so long. */
  #send(count: number, length: number): void {
    try {
      for (let sent = 0; sent < count && length > 0; sent++) {
        const text = this.queue.take();
        if (text === undefined) return;
        this.#socket.send(text);
        length -= text.length;
      }
    } catch (error) {
      this.stop();
      this.#options.onFailure(error);
    }
  }

  /** Sends what waits when the runtime has written enough of what it has. */
  #pace(pauseMs: number): void {
    this.#pacer = setTimeout(() => {
      this.#pacer = undefined;
      const length = PACE_BYTES - this.#socket.bufferedAmount;
      this.#send(Infinity, length);
      const next = length > 0 ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
      if (this.queue.size > 0) this.#pace(next);
    }, pauseMs);
  }
}
