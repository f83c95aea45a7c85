// Stands in for jsr:@std/http/etag in this checkout: the same source from npm.
// @ts-types="./etag.d.ts"
export { eTag, ifNoneMatch } from "npm:deno-std@1.4.0/http/etag.js";
