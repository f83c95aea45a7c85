/**
 * The gate through which requests come to their handlers.
 *
 * @module
 */

import type { AccessControl } from "../access/access_control.ts";
import type { AllowedHosts } from "../access/host.ts";
import type { HttpError } from "../access/http_error.ts";
import { REFUSAL_MS, REQUEST_MS } from "../access/processor_costs.ts";
import { isHeadLong, isHttp2 } from "../access/request_header.ts";
import { TurnScheduler, type TurnSchedulerOptions } from "../connection/turn_scheduler.ts";
import { cutOff } from "./cut_off.ts";
import { RefusalDelay } from "./refusal_delay.ts";
import type { Refusals } from "./refusals.ts";
import { checkNoBody } from "./request_body.ts";
import type { RequestBindings } from "./services.ts";

/**
 * Requests that are begun in one turn of the event loop. A page of messages takes a millisecond of
 * the processor: where 1,500 requests of one address were begun at once, frames of members and
 * commits waited for three seconds.
 */
const REQUESTS_IN_A_TURN = 2;

/** The options of {@linkcode RequestGate}. */
export interface RequestGateOptions {
  /** Limits requests, and counts the processor's time by address. */
  readonly access: AccessControl;
  /** The hosts that the server is reached as. */
  readonly hosts: AllowedHosts;
  /** Makes the answers to those that are refused. */
  readonly refusals: Refusals;
  /** Tells the path of a request below the server's own. */
  readonly pathOf: (request: Request) => string;
  /** The refusal of a request that no route takes; undefined where one does. */
  readonly refusalOf: (request: Request) => HttpError | undefined;
  /** Tells whether an address has its share of the processor, and counts those that wait for that. */
  readonly shares: Pick<TurnSchedulerOptions, "isOver" | "onHeld">;
}

/**
 * Lets requests in within the limits, when it is their turn. A refusal costs as little as it can, and
 * comes late where an address goes on asking.
 */
export class RequestGate {
  readonly #options: RequestGateOptions;
  readonly #delay = new RefusalDelay();
  readonly #turns: TurnScheduler;

  /** @param options What decides, and how refusals are answered. */
  constructor(options: RequestGateOptions) {
    this.#options = options;
    this.#turns = new TurnScheduler({ atOnce: REQUESTS_IN_A_TURN, ...options.shares });
  }

  /**
   * Answers a request.
   *
   * @param request The request.
   * @param bindings What is known of it; its place within the limits is added.
   * @param handle Handles the request.
   * @returns The answer.
   */
  async respond(
    request: Request,
    bindings: RequestBindings,
    handle: () => Response | Promise<Response>,
  ): Promise<Response> {
    const { access, hosts } = this.#options;
    try {
      bindings.slot = access.acquireRequest(request, bindings.info);
    } catch (error) {
      return await this.#refuse(error, request, bindings);
    }
    const { share, processor } = bindings.slot;
    try {
      hosts.check(request);
      checkNoBody(request, () => this.#options.refusalOf(request));
      const turn = this.#turns.turn(share ?? "");
      if (turn && processor?.isOver() && isHeadLong(request)) {
        turn.cancel();
        throw access.tooLongToWait(bindings.slot);
      }
      if (turn) await turn.begun;
    } catch (error) {
      return this.#answer(error, request, bindings);
    }
    processor?.charge(REQUEST_MS);
    return await handle();
  }

  /** Delays no refusal any more. */
  stop(): void {
    this.#delay.stop();
  }

  /** Refuses a request that is beyond a limit. */
  async #refuse(error: unknown, request: Request, bindings: RequestBindings): Promise<Response> {
    const { access } = this.#options;
    const address = access.limitedAddress(request, bindings.info);
    if (address !== undefined) access.processor.charge(address, REFUSAL_MS);
    const delay = this.#delay.of(address, () => !isHeadLong(request));
    if (delay instanceof Promise) await delay;
    const answer = this.#answer(error, request, bindings);
    return delay === "full" && !isHttp2(request) ? cutOff(answer) : answer;
  }

  #answer(error: unknown, request: Request, { info, slot }: RequestBindings): Response {
    const { refusals, pathOf } = this.#options;
    return refusals.answer(error, request, { path: pathOf(request), info, address: slot?.address });
  }
}
