/** Milliseconds that a server has to start, or to listen again, on a machine that is busy. */
const ANSWER_MS = 60_000;

/** Finds a port that is free now, for a server that cannot say which one it got. */
export function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Waits until a server answers.
 *
 * @throws {Error} Where it does not in time.
 */
export async function untilAnswers(url: string, patienceMs = ANSWER_MS): Promise<void> {
  const until = performance.now() + patienceMs;
  let failure: unknown;
  for (;;) {
    // A client of its own: no connection of before is used again.
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    try {
      const signal = AbortSignal.timeout(5_000);
      const response = await fetch(`${url}/health`, { client, signal });
      await response.body?.cancel();
      if (response.ok) return;
      failure = `It answered ${response.status}`;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > until) {
      throw new Error(`${url} did not answer within ${patienceMs / 1000} s`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
