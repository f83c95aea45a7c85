import type { Verdict } from "./trial.ts";

const TITLES = ["attack", "rss MiB", "acks p50", "p95", "p99", "max", "calm p95", "visits", ""];

/** The lines of a table of verdicts; times are milliseconds. */
export function tableOf(verdicts: readonly Verdict[]): string[] {
  const rows = [TITLES, ...verdicts.map(rowOf)];
  const widths = TITLES.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => {
    const cells = row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
    return cells.join("  ").trimEnd();
  });
}

function rowOf({ name, residentBytes, delays, calm, visits, problems }: Verdict): string[] {
  const ms = (value: number | undefined) => value?.toFixed(0) ?? "";
  const { p50, p95, p99, most } = delays ?? {};
  const figures = [residentBytes / 1024 / 1024, p50, p95, p99, most, calm?.p95].map(ms);
  const verdict = problems.length === 0 ? "ok" : `FAILED: ${problems[0].slice(0, 60)}`;
  return [name, ...figures, `${visits}`, verdict];
}
