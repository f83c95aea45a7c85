// Stands in for jsr:@std/http/status in this checkout: the same source from npm.
// @ts-types="./status.d.ts"
export { STATUS_CODE } from "npm:deno-std@1.4.0/http/status.js";
