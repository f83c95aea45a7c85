import { CHANGE_POINTS } from "./change_points.ts";
import { COMMON_POINTS } from "./common_points.ts";
import { HTTP_POINTS } from "./http_points.ts";
import type { HubUnderTest, PointCheck, PointNeed } from "./hub_under_test.ts";
import { OPERATOR_POINTS } from "./operator_points.ts";
import { READ_POINTS } from "./read_points.ts";
import { V1_POINTS } from "./v1_points.ts";
import { V2_POINTS } from "./v2_points.ts";
import { WHO_POINTS } from "./who_points.ts";

/** The checks of all points of `docs/protocol.md`. */
export const POINTS: readonly PointCheck[] = [
  ...COMMON_POINTS,
  ...V1_POINTS,
  ...V2_POINTS,
  ...HTTP_POINTS,
  ...CHANGE_POINTS,
  ...WHO_POINTS,
  ...READ_POINTS,
  ...OPERATOR_POINTS,
];

/** Points that are checked at the same time: fewer than the connections that an address may have. */
const AT_ONCE = 4;

/** What a point lacks, by its need. */
const NEEDS: Readonly<Record<PointNeed, string>> = {
  withTokens: "needs a server with tokens: --token-url and --secret",
  withOperators: "needs a server with operators: --admin-token",
  startStoppable: "needs a server that it may stop: without --url",
};

/** What became of a point. */
export interface PointResult {
  readonly id: string;
  readonly outcome: "holds" | "fails" | "unchecked";
  /** Why it is so. */
  readonly why?: string;
}

/**
 * Checks points, some at a time.
 *
 * @param hub The server.
 * @param points Which ones.
 * @param onResult Called for each, as soon as it is known.
 */
export async function checkPoints(
  hub: HubUnderTest,
  points: readonly PointCheck[],
  onResult: (result: PointResult) => void,
): Promise<void> {
  const queue = [...points];
  const work = async () => {
    for (let point = queue.shift(); point; point = queue.shift()) {
      onResult(await checkPoint(hub, point));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Checks one point. */
export async function checkPoint(hub: HubUnderTest, point: PointCheck): Promise<PointResult> {
  const { id, need, check } = point;
  if (need && !hub[need]) {
    return { id, outcome: "unchecked", why: NEEDS[need] };
  }
  try {
    await check(hub);
    return { id, outcome: "holds" };
  } catch (error) {
    return { id, outcome: "fails", why: error instanceof Error ? error.stack : String(error) };
  }
}
