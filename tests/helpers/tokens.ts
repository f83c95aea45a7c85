import { importJWK, type JWK, type JWTPayload, SignJWT } from "jose";

/** Signs a token with a secret. */
export async function signWithSecret(
  claims: Record<string, unknown>,
  secret: string,
  alg = "HS256",
): Promise<string> {
  return await sign(claims, { alg }, new TextEncoder().encode(secret));
}

/** Signs a token with a private key. */
export async function signWithKey(
  claims: Record<string, unknown>,
  key: JWK,
  header: { readonly alg: string; readonly kid?: string },
): Promise<string> {
  return await sign(claims, header, await importJWK(key, header.alg));
}

/** Writes a token of any header and claims, signed with HMAC by hand or not at all. */
export async function forge(
  header: Record<string, unknown>,
  claims: unknown,
  secret?: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const head = `${base64Url(bytesOf(header))}.${base64Url(bytesOf(claims))}`;
  if (!secret) return `${head}.`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(head));
  return `${head}.${base64Url(String.fromCharCode(...new Uint8Array(signature)))}`;
}

/** The JSON of a value in UTF-8, a character for each byte. */
function bytesOf(value: unknown): string {
  return String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value)));
}

function base64Url(text: string): string {
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

async function sign(
  claims: Record<string, unknown>,
  header: { readonly alg: string; readonly kid?: string },
  key: Parameters<SignJWT["sign"]>[0],
): Promise<string> {
  // As they come, for tests sign what is wrong too.
  return await new SignJWT(claims as JWTPayload).setProtectedHeader(header).sign(key);
}
