// Stands in for jsr:@std/async/deadline in this checkout: the same source from npm.
// @ts-types="./deadline.d.ts"
export { deadline } from "npm:deno-std@1.4.0/async/deadline.js";
export type { DeadlineOptions } from "./deadline.d.ts";
