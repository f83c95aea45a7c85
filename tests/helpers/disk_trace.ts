// What a process wrote to its disk, as strace saw it, and what a power cut would have left of it.

import type { Random } from "./random.ts";
import { TextLineStream } from "./text_lines.ts";

/** What strace is told, before the program and its arguments. */
export function straceArgs(trace: string): string[] {
  const calls = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,rename";
  // -D: the program is the process that was started, and gets its signals.
  const how = ["-D", "-f", "--seccomp-bpf", "-ttt", "-y", "-xx", "-s", "1000000"];
  return [...how, "-e", `trace=${calls}`, "-o", trace];
}

/** One step on the way to the disk. */
export type DiskStep =
  /** Bytes were written. They may be lost until the file is synced. */
  | { type: "write"; at: number; file: string; offset: number; bytes: Uint8Array }
  /** The file was cut off, or made longer. */
  | { type: "truncate"; at: number; file: string; length: number }
  /** Whatever was written before has reached the disk. */
  | { type: "sync"; at: number; file: string }
  /** The file was deleted. */
  | { type: "unlink"; at: number; file: string };

/** Bytes that a disk writes whole, or not at all. */
const SECTOR = 512;

const LINE = /^(\d+) +(\d+\.\d+) (\w+)\((.*)$/;
const RESUMED = /^(\d+) +(\d+\.\d+) <\.\.\. (\w+) resumed>.* = (-?\d+)/;

/**
 * Reads a trace.
 *
 * @param path The file that strace wrote.
 * @param folder What is written elsewhere is left out.
 * @yields The steps, in order; `at` is milliseconds since the epoch.
 */
export async function* readTrace(path: string, folder: string): AsyncGenerator<DiskStep> {
  using file = await Deno.open(path);
  /** Calls of a thread that another one's line interrupts. */
  const unfinished = new Map<string, string>();
  for await (const line of file.readable.pipeThrough(new TextLineStream())) {
    const resumed = RESUMED.exec(line);
    const called = resumed ? undefined : LINE.exec(line);
    if (!resumed && !called) continue;
    const [, thread, seconds, name] = (resumed ?? called)!;
    const at = Number(seconds) * 1000;
    let rest = called?.[4] ?? unfinished.get(thread) ?? "";
    if (called && rest.endsWith("<unfinished ...>")) {
      unfinished.set(thread, rest);
      // What is written counts from the call on; what is synced when it has returned.
      if (name === "fsync" || name === "fdatasync") continue;
    } else if (resumed) {
      unfinished.delete(thread);
      if (name !== "fsync" && name !== "fdatasync") continue;
      if (resumed[4] !== "0") continue;
      rest += " = 0";
    }
    const step = decodeStep(name, rest, at);
    if (step?.file.startsWith(folder)) yield step;
  }
}

function decodeStep(name: string, rest: string, at: number): DiskStep | undefined {
  const file = /^\d+<((?:\\x[0-9a-f]{2})+)>/.exec(rest);
  const path = file ? textOf(file[1]) : "";
  switch (name) {
    case "pwrite64": {
      const start = rest.indexOf('"') + 1;
      const end = rest.indexOf('"', start);
      const offset = /, \d+, (\d+)/.exec(rest.slice(end))!;
      const bytes = bytesOf(rest, start, end);
      return { type: "write", at, file: path, offset: Number(offset[1]), bytes };
    }
    case "ftruncate": {
      const length = Number(/>, (\d+)/.exec(rest)![1]);
      return { type: "truncate", at, file: path, length };
    }
    case "fsync":
    case "fdatasync":
      return / = 0/.test(rest) ? { type: "sync", at, file: path } : undefined;
    case "unlink":
    case "unlinkat": {
      const named = /"((?:\\x[0-9a-f]{2})+)"/.exec(rest);
      return named ? { type: "unlink", at, file: textOf(named[1]) } : undefined;
    }
    default:
      return undefined;
  }
}

/** Bytes of `\x01\x02…` between two places of a line. */
function bytesOf(line: string, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array((end - start) / 4);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = digit(line.charCodeAt(start + 4 * i + 2)) << 4 |
      digit(line.charCodeAt(start + 4 * i + 3));
  }
  return bytes;
}

function digit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

function textOf(hex: string): string {
  return new TextDecoder().decode(bytesOf(hex, 0, hex.length));
}

/** A file on the disk of {@linkcode TracedDisk}. */
interface TracedFile {
  /** What a cut cannot take. */
  synced: Uint8Array<ArrayBuffer>;
  /** What was written since. */
  pending: Exclude<DiskStep, { type: "sync" }>[];
  /** Whether anything of it has reached the disk. */
  isThere: boolean;
}

/** A disk on which steps are made one by one, and whose power may be cut after any of them. */
export class TracedDisk {
  readonly #files = new Map<string, TracedFile>();
  /** How many steps were made. */
  steps = 0;

  /** Makes a step. */
  apply(step: DiskStep): void {
    this.steps++;
    const file = this.#files.get(step.file);
    if (step.type === "sync") {
      // Of a folder: who is in it is there to stay, or gone.
      if (!file) return this.#syncFolder(step.file);
      file.synced = file.pending.reduce((bytes, step) => made(bytes, step), file.synced);
      file.isThere = !file.pending.some(({ type }) => type === "unlink");
      file.pending = [];
      return;
    }
    if (file) file.pending.push(step);
    else {
      const pending = [step];
      this.#files.set(step.file, { synced: new Uint8Array(), pending, isThere: false });
    }
  }

  /**
   * Writes what a power cut leaves: what was synced, and of the rest any part.
   *
   * @param random Decides which.
   * @param mode Whether all of the rest is lost, none, or some sectors of it.
   * @param nameOf Where each file goes; undefined where it is left out.
   */
  async cut(
    random: Random,
    mode: "all" | "none" | "some",
    nameOf: (file: string) => string | undefined,
  ): Promise<void> {
    for (const [path, { synced, pending, isThere }] of this.#files) {
      const name = nameOf(path);
      if (name === undefined) continue;
      const kept = pending.filter(() => mode === "none" || (mode === "some" && random.chance(0.5)));
      if (!isThere && kept.length === 0) continue;
      if (kept.at(-1)?.type === "unlink") continue;
      let bytes = synced.slice();
      for (const step of kept) bytes = made(bytes, mode === "some" ? torn(step, random) : step);
      await Deno.writeFile(name, bytes);
    }
  }

  #syncFolder(folder: string): void {
    for (const [path, file] of [...this.#files]) {
      if (!path.startsWith(`${folder}/`)) continue;
      if (file.pending.at(-1)?.type === "unlink") this.#files.delete(path);
      else file.isThere = true;
    }
  }
}

/** Makes a step on the bytes of a file; where they are longer, what was there is used on. */
function made(
  bytes: Uint8Array<ArrayBuffer>,
  step: Exclude<DiskStep, { type: "sync" }>,
): Uint8Array<ArrayBuffer> {
  if (step.type === "unlink") return new Uint8Array();
  const end = step.type === "truncate" ? step.length : step.offset + step.bytes.length;
  let result = bytes;
  if (end > bytes.length || step.type === "truncate") {
    result = new Uint8Array(end);
    result.set(bytes.subarray(0, end));
  }
  if (step.type === "write") result.set(step.bytes, step.offset);
  return result;
}

/** A write of which the disk has done some sectors. */
function torn(
  step: Exclude<DiskStep, { type: "sync" }>,
  random: Random,
): Exclude<DiskStep, { type: "sync" }> {
  if (step.type !== "write" || random.chance(0.7)) return step;
  const from = SECTOR * random.below(Math.ceil(step.bytes.length / SECTOR));
  const isEnd = random.chance(0.5);
  return {
    ...step,
    offset: isEnd ? step.offset + from : step.offset,
    bytes: isEnd ? step.bytes.subarray(from) : step.bytes.subarray(0, Math.max(1, from)),
  };
}
