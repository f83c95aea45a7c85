import { Hub, type HubOptions, KvRoomLog, type KvRoomLogOptions } from "@hubbub/hub";
import type { Level, Logger } from "@hubbub/hub";

/** An event as a logger got it. */
export interface LoggedEvent {
  readonly level: Level;
  readonly event: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A hub, and what it logged. */
export interface TestHub {
  readonly hub: Hub;
  readonly log: KvRoomLog;
  readonly events: LoggedEvent[];
  /** What adds to the events. */
  readonly logger: Logger;
}

/**
 * Makes a hub over a database; what it logs is kept instead of printed. It is alone, unless a fan-out
 * is given, be it undefined.
 */
export function createTestHub(
  kv: Deno.Kv,
  options: HubOptions & KvRoomLogOptions = {},
): TestHub {
  const events: LoggedEvent[] = [];
  const log = new KvRoomLog(kv, options);
  const logger: Logger = (level, event, fields) => {
    events.push({ level, event, fields });
  };
  const alone = !("fanout" in options);
  return { hub: new Hub(log, { logger, alone, ...options }), log, events, logger };
}

/** The events as text with all that belongs to them, each as a line. */
export function linesOf(events: readonly LoggedEvent[]): string[] {
  return events.map(({ fields: { error, ...rest } = {}, ...event }) => {
    return JSON.stringify({ ...event, ...rest, error: String(error ?? "") });
  });
}
