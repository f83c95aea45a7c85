/**
 * What the client needs of a WebSocket.
 *
 * @module
 */

/** The part of a WebSocket that the client uses: the global class has it, and npm's `ws`. */
export interface SocketLike {
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  /** 1 while frames can be sent. */
  readonly readyState: number;
  /** Called when the server has accepted. */
  onopen: ((event: never) => void) | null;
  /** Called with each frame. */
  onmessage: ((event: never) => void) | null;
  /** Called before the close that follows a failure. */
  onerror: ((event: never) => void) | null;
  /** Called once it is closed. */
  onclose: ((event: never) => void) | null;
  /** Sends a text frame. */
  send(data: string): void;
  /** Closes it, or gives up opening it. */
  close(code?: number, reason?: string): void;
}

/** A class of {@linkcode SocketLike}, such as `globalThis.WebSocket`. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;
