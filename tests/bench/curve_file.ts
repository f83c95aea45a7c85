import type { Machine } from "./machine.ts";

const FILE = new URL("curves.json", import.meta.url);

/** The curves, in the order in which they are measured and drawn. */
export const CURVE_NAMES = ["members", "rooms", "flight", "isolates", "log"] as const;

/** One of them. */
export type CurveName = typeof CURVE_NAMES[number];

/** A curve as it was measured. */
export interface Curve {
  /** When, ISO 8601. */
  readonly date: string;
  /** On what. */
  readonly machine: Machine;
  /** How to measure it again. */
  readonly command: string;
  /** What was measured; all of them have the same fields. */
  readonly points: readonly Readonly<Record<string, string | number>>[];
}

/** What `curves.json` holds: each curve as it was measured last. */
export class Curves {
  readonly #curves: Partial<Record<CurveName, Curve>>;

  private constructor(curves: Partial<Record<CurveName, Curve>>) {
    this.#curves = curves;
  }

  /** Reads the file; where there is none, there are no curves. */
  static async read(): Promise<Curves> {
    try {
      return new Curves(JSON.parse(await Deno.readTextFile(FILE)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Curves({});
      throw error;
    }
  }

  /**
   * Tells which curves somebody asks for.
   *
   * @param words What was typed: names, or `plot` for none; nothing for all.
   * @throws {RangeError} Where there is no such curve.
   */
  static namesOf(words: readonly string[]): CurveName[] {
    const known: readonly string[] = [...CURVE_NAMES, "plot"];
    const unknown = words.find((word) => !known.includes(word));
    if (unknown) throw new RangeError(`There is no curve "${unknown}": ${known.join(", ")}`);
    return CURVE_NAMES.filter((name) => words.length === 0 || words.includes(name));
  }

  /** The curve of a name, where it was measured. */
  get(name: CurveName): Curve | undefined {
    return this.#curves[name];
  }

  /** Puts a curve in the place of what was measured before, and writes the file. */
  async put(name: CurveName, curve: Curve): Promise<void> {
    this.#curves[name] = curve;
    const inOrder = CURVE_NAMES.map((name) => [name, this.#curves[name]]);
    await Deno.writeTextFile(FILE, JSON.stringify(Object.fromEntries(inOrder), null, 2) + "\n");
  }
}
