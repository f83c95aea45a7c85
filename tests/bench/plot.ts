import { type Curve, CURVE_NAMES, type Curves } from "./curve_file.ts";
import { machineLine } from "./machine.ts";

const SCRIPT = new URL("curves.gnuplot", import.meta.url).pathname;
const PICTURE = new URL("curves.svg", import.meta.url).pathname;

/**
 * Draws the curves into `curves.svg`, or says why it does not.
 *
 * @param curves What to draw.
 * @param folder Where the tables for gnuplot may go.
 * @throws {Error} Where gnuplot fails.
 */
export async function drawCurves(curves: Curves, folder: string): Promise<void> {
  const missing = CURVE_NAMES.filter((name) => curves.get(name) === undefined);
  if (missing.length > 0) return console.log(`Not drawn: ${missing.join(", ")} not measured yet`);
  const machines = new Set<string>();
  for (const name of CURVE_NAMES) {
    const curve = curves.get(name)!;
    machines.add(machineLine(curve.machine));
    await Deno.writeTextFile(`${folder}/${name}.tsv`, table(curve));
  }
  const title = [...machines].join("; ");
  const settings = `folder="${folder}"; picture="${PICTURE}"; machine="${title}"`;
  try {
    const output = await new Deno.Command("gnuplot", { args: ["-e", settings, SCRIPT] }).output();
    if (output.success) return console.log(`Drawn: ${PICTURE}`);
    throw new Error(`gnuplot failed: ${new TextDecoder().decode(output.stderr)}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log('Not drawn: there is no gnuplot; Debian has it in "gnuplot-nox"');
    console.log('What was measured is in curves.json; "deno task curves plot" draws it later');
  }
}

/** Writes points as a table whose first line names the columns. */
function table({ points }: Curve): string {
  const columns = Object.keys(points[0]);
  const rows = points.map((point) => columns.map((column) => point[column]).join("\t"));
  return [columns.join("\t"), ...rows].join("\n") + "\n";
}
