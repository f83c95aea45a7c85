import { PROTOCOL_V2, type ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import type { Limits } from "@hubbub/hub/protocol";

/** What the fake server allows, unless a test says otherwise. */
const LIMITS: Limits & { rooms_max: number; history_max: number } = {
  text_max_bytes: 100,
  typing_timeout_ms: 3000,
  messages_per_second: 0,
  message_burst: 0,
  rooms_max: 200,
  history_max: 100,
};

/** A WebSocket of protocol 2 without a network: the test is the server. */
export abstract class FakeWebSocket {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** How the client closed it. */
  closed: { code: number | undefined } | undefined;
  protocol = "";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(url: string, protocols: string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  /** Takes a frame of the client. */
  abstract send(frame: string): void;

  close(code?: number): void {
    this.closed ??= { code };
    this.readyState = 2;
  }

  /** The server accepts, and says what holds. */
  welcome(limits: Partial<Limits> = {}): void {
    this.protocol = PROTOCOL_V2;
    this.readyState = 1;
    this.onopen?.();
    this.say({
      type: "welcome",
      payload: { user: "ann", protocol: 2, limits: { ...LIMITS, ...limits } },
    });
  }

  /** The server sends one frame. */
  say(...envelopes: ServerEnvelopeV2[]): void {
    this.onmessage?.({ data: envelopes.map((envelope) => JSON.stringify(envelope)).join("\n") });
  }

  /** The connection ends, from the other side. */
  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
