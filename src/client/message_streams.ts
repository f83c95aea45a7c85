/**
 * Messages as asynchronous iterators.
 *
 * @module
 */

/** Set of asynchronous iterators. Each gives every message that is pushed after it was made. */
export class MessageStreams<Message> {
  readonly #streams = new Set<ReadableStreamDefaultController<Message>>();
  #hasEnded = false;

  /**
   * Makes an iterator. It keeps what nobody has asked for yet.
   *
   * @returns An iterator; it is forgotten when its loop is left.
   */
  open(): AsyncIterator<Message> {
    let stream!: ReadableStreamDefaultController<Message>;
    const reader = new ReadableStream<Message>({
      start: (controller) => void (stream = controller),
      cancel: () => void this.#streams.delete(stream),
    }).getReader();
    if (this.#hasEnded) stream.close();
    else this.#streams.add(stream);
    return {
      next: async () => await reader.read() as IteratorResult<Message>,
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Adds a message to all iterators.
   *
   * @param message The message.
   */
  push(message: Message): void {
    for (const stream of this.#streams) stream.enqueue(message);
  }

  /** Ends all iterators, after what they keep. */
  end(): void {
    this.#hasEnded = true;
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }
}
