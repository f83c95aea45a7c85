/**
 * The error of a service that cannot start.
 *
 * @module
 */

/**
 * Why a service could not start: an event for the log, and what it was about.
 *
 * @example
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { StartError } from "@hubbub/hub/service";
 *
 * const error = new StartError("kv_failed", { kv: "chat.sqlite3" }, new Error("disk full"));
 * jsonLogger()("error", error.event, { ...error.fields, error });
 * ```
 */
export class StartError extends Error {
  /**
   * Makes the error.
   *
   * @param event What failed, in snake_case.
   * @param fields What it was about.
   * @param cause Why.
   */
  constructor(
    readonly event: string,
    readonly fields: Readonly<Record<string, unknown>>,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "StartError";
  }
}
