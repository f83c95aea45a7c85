/**
 * Messages for whoever loops over them.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";

/** The iterators of a connection. Each gets every message from when it was made. */
export class MessageStreams {
  readonly #feeds = new Set<ReadableStreamDefaultController<Message>>();
  #hasEnded = false;

  /**
   * Makes an iterator. It keeps what nobody has asked for yet.
   *
   * @returns An iterator; it is forgotten when its loop is left.
   */
  open(): AsyncIterator<Message> {
    let feed!: ReadableStreamDefaultController<Message>;
    const reader = new ReadableStream<Message>({
      start: (controller) => void (feed = controller),
      cancel: () => void this.#feeds.delete(feed),
    }).getReader();
    if (this.#hasEnded) feed.close();
    else this.#feeds.add(feed);
    return {
      next: async () => await reader.read() as IteratorResult<Message>,
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Gives a message to all iterators.
   *
   * @param message The message.
   */
  push(message: Message): void {
    for (const feed of this.#feeds) feed.enqueue(message);
  }

  /** Lets all iterators end, once what they keep was asked for. */
  end(): void {
    this.#hasEnded = true;
    for (const feed of this.#feeds) feed.close();
    this.#feeds.clear();
  }
}
