// Types of @std/async/debounce 1.x.

export interface DebounceOptions {
  signal?: AbortSignal;
}
export interface DebouncedFunction<T extends Array<unknown>> {
  (...args: T): void;
  /** Clears the timeout, so that the function is not called. */
  clear(): void;
  /** Clears the timeout and calls the function at once. */
  flush(): void;
  /** Whether a call is waiting. */
  readonly pending: boolean;
}
export declare function debounce<T extends Array<unknown>>(
  fn: (this: DebouncedFunction<T>, ...args: T) => void,
  wait: number,
  options?: DebounceOptions,
): DebouncedFunction<T>;
