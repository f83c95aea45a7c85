/** Sorts numbers, smallest first. */
export function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

/** The value at a part of sorted ones: 0.5 is the median. */
export function at(values: readonly number[], part: number): number {
  return values[Math.floor(part * (values.length - 1))] ?? NaN;
}

/** Mebibytes, with one decimal. */
export function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
