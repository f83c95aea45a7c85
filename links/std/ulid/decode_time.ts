// Stands in for jsr:@std/ulid/decode-time in this checkout: the same source from npm.
// @ts-types="./decode_time.d.ts"
export { decodeTime } from "npm:deno-std@1.4.0/ulid/decode_time.js";
