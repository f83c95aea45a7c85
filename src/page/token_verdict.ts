/**
 * The server's opinion of a token.
 *
 * @module
 */

/**
 * - `dead`: the server asks for a token, and for another one than this.
 * - `forbidden`: the token is good, but not for this room.
 * - `needless`: the server lets everybody in, and takes no tokens.
 * - `unknown`: the server gave no answer, or the token is not what is wrong.
 */
export type TokenVerdict = "dead" | "forbidden" | "needless" | "unknown";

/** Milliseconds in which the server must answer. */
const TIMEOUT_MS = 10_000;

/**
 * Asks the server whether a token, or the lack of one, is why somebody is not let in.
 *
 * @param url An address that takes the same tokens.
 * @param token The token, where there is one.
 * @returns The verdict.
 */
export async function tokenVerdict(url: string, token: string | undefined): Promise<TokenVerdict> {
  switch (await statusOf(url, token)) {
    case 401:
      return "dead";
    case 403:
      return "forbidden";
    case 200:
      return token !== undefined && await statusOf(url) === 200 ? "needless" : "unknown";
    default:
      return "unknown";
  }
}

async function statusOf(url: string, token?: string): Promise<number | undefined> {
  try {
    const headers = new Headers();
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}
