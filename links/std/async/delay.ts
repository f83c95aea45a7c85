// Stands in for jsr:@std/async/delay in this checkout: the same source from npm.
// @ts-types="./delay.d.ts"
export { delay } from "npm:deno-std@1.4.0/async/delay.js";
export type { DelayOptions } from "./delay.d.ts";
