/** A metric in the text format of Prometheus. */
export interface ExposedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string | undefined;
  /** Values by series: the name, and the labels as they are written. */
  readonly samples: Map<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL})(?:,${LABEL})*)?\\})? (\\S+)$`);
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"];

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as it is specified.
 *
 * @throws {Error} At the first line that breaks a rule.
 */
export function parseExposition(text: string): ExposedFamily[] {
  if (!text.endsWith("\n")) throw new Error("It ends without a line feed");
  const families = new Map<string, ExposedFamily>();
  const helps = new Map<string, string>();
  let current: ExposedFamily | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") throw new Error("A line is empty");
    const [, keyword, about, rest] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (keyword === "HELP") {
      if (helps.has(about) || families.has(about)) throw new Error(`HELP comes late: ${line}`);
      if (!/^(?:[^\\]|\\[\\n])*$/.test(rest)) throw new Error(`A bad escape: ${line}`);
      helps.set(about, rest.replace(/\\([\\n])/g, (_, what) => what === "n" ? "\n" : "\\"));
    } else if (keyword === "TYPE") {
      if (families.has(about)) throw new Error(`TYPE comes twice: ${line}`);
      if (!TYPES.includes(rest)) throw new Error(`No type: ${line}`);
      current = { name: about, type: rest, help: helps.get(about), samples: new Map() };
      families.set(about, current);
    } else if (line.startsWith("#")) throw new Error(`A comment: ${line}`);
    else readSample(line, current);
  }
  for (const family of families.values()) checkFamily(family);
  return [...families.values()];
}

function readSample(line: string, family: ExposedFamily | undefined): void {
  const [, name, labels = "", number] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`This is no sample: ${line}`);
  if (!NUMBER.test(number)) throw new Error(`This is no number: ${line}`);
  if (!family) throw new Error(`It has no TYPE: ${line}`);
  const parts = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!parts.some((part) => name === family.name + part)) {
    throw new Error(`The samples of ${name} are not together: ${line}`);
  }
  if (family.type === "counter" && Number(number) < 0) throw new Error(`Below 0: ${line}`);
  const series = labels === "" ? name : `${name}{${labels}}`;
  if (family.samples.has(series)) throw new Error(`A series stands twice: ${line}`);
  const value = Number(number.replace("Inf", "Infinity"));
  family.samples.set(series, value);
}

function checkFamily({ name, type, samples }: ExposedFamily): void {
  if (type !== "histogram") return;
  let [end, count] = [-Infinity, 0];
  for (const [series, value] of samples) {
    const [, le] = /_bucket\{le="([^"]+)"\}$/.exec(series) ?? [];
    if (le === undefined) continue;
    const bound = Number(le.replace("Inf", "Infinity"));
    if (!(bound > end)) throw new Error(`${series} comes in the wrong order`);
    if (value < count) throw new Error(`${series} shrinks`);
    [end, count] = [bound, value];
  }
  if (end !== Infinity) throw new Error(`${name} has no bucket +Inf`);
  if (samples.get(`${name}_count`) !== count) throw new Error(`${name}_count is wrong`);
  if (samples.get(`${name}_sum`) === undefined) throw new Error(`${name} has no sum`);
}
