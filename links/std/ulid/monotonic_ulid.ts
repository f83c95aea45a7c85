// Stands in for jsr:@std/ulid/monotonic-ulid in this checkout: the same source from npm.
// @ts-types="./monotonic_ulid.d.ts"
export { monotonicUlid } from "npm:deno-std@1.4.0/ulid/monotonic_ulid.js";
