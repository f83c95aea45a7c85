// Stands in for jsr:@std/async/debounce in this checkout: the same source from npm.
// @ts-types="./debounce.d.ts"
export { debounce } from "npm:deno-std@1.4.0/async/debounce.js";
export type { DebouncedFunction, DebounceOptions } from "./debounce.d.ts";
