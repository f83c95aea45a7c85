/**
 * Makes docs/reference.md of the doc comments of what the package exports: `deno task reference`.
 *
 * @module
 */

import source from "../src/deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const TARGET = new URL("docs/reference.md", ROOT);
/** What stands in other pages in full: only its names are listed. */
const LISTED: Readonly<Record<string, string>> = {
  "./protocol": "The envelopes themselves are in [protocol.md](protocol.md) and in `docs/schemas`.",
};
/** What most readers look for comes first. */
const FIRST: readonly string[] = ["./client", "./react"];
/** The kinds of `deno doc`, in the order in which they come, and how they are called. */
const KINDS: Readonly<Record<string, string>> = {
  function: "",
  class: "class ",
  interface: "interface ",
  typeAlias: "type ",
  variable: "const ",
};

/** A doc comment as `deno doc --json` has it. */
interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly {
    readonly kind: string;
    readonly name?: string;
    readonly doc?: string;
    readonly value?: string;
  }[];
}

interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly left?: { readonly name?: string };
}

interface Member {
  readonly name: string;
  readonly kind?: string;
  readonly optional?: boolean;
  readonly accessibility?: string;
  readonly isStatic?: boolean;
  readonly jsDoc?: JsDoc;
  readonly params?: readonly Parameter[];
  readonly functionDef?: { readonly params: readonly Parameter[] };
  readonly tsType?: {
    readonly kind: string;
    readonly value?: { readonly params?: readonly Parameter[] };
  };
}

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: JsDoc;
  readonly def: {
    readonly params?: readonly Parameter[];
    readonly properties?: readonly Member[];
    readonly methods?: readonly Member[];
  };
}

interface ModuleDoc {
  readonly module_doc: JsDoc;
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

async function describe(file: string): Promise<ModuleDoc> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", file],
    cwd: new URL("src/", ROOT),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const [doc] = Object.values<ModuleDoc>(JSON.parse(new TextDecoder().decode(stdout)).nodes);
  return doc;
}

/** The text of a comment, with its links as code and without what stands in tags. */
function textOf({ doc = "", tags = [] }: JsDoc = {}): string {
  const inline = /@default \{([^}]*)\}/.exec(doc)?.[1];
  const standard = tags.find(({ kind }) => kind === "default")?.value ?? inline;
  const text = doc.replace(/@default \{[^}]*\}/, "")
    .replace(/\{@link(?:code)?\s+([^}\s]+)[^}]*\}/g, "`$1`").trim().replaceAll(/\s+/g, " ");
  return standard === undefined ? text : `${text} Default: ${standard}.`;
}

function callOf(name: string, parameters: readonly Parameter[] = []): string {
  return `${name}(${
    parameters.map(({ name, left }) => name ?? left?.name ?? "options").join(", ")
  })`;
}

/** A parameter or the result, as a line. */
function* tagLines({ tags = [] }: JsDoc = {}): Generator<string> {
  for (const { kind, name, doc = "" } of tags) {
    const text = textOf({ doc });
    if (kind === "param") yield `- \`${name}\`: ${text}`;
    if (kind === "return") yield `- Returns: ${text}`;
  }
}

function memberLine(member: Member): string {
  const { name, kind, functionDef, params, optional, tsType, jsDoc } = member;
  const isFunction = tsType?.kind === "fnOrConstructor";
  const parameters = functionDef?.params ?? params ?? tsType?.value?.params;
  const isCalled = kind === "method" || params !== undefined || isFunction;
  const call = isCalled ? callOf(name, parameters) : `${name}${optional ? "?" : ""}`;
  return `- \`${call}\`: ${textOf(jsDoc)}`;
}

function* symbolLines(name: string, { kind, jsDoc, def }: Declaration): Generator<string> {
  const title = kind === "function" ? callOf(name, def.params) : name;
  yield `### ${KINDS[kind]}\`${title}\``;
  yield "";
  yield textOf(jsDoc);
  yield "";
  if (kind === "function") yield* tagLines(jsDoc);
  const members = [...def.properties ?? [], ...def.methods ?? []];
  for (const member of members) {
    const isHidden = member.accessibility === "private" || /^[#[]/.test(member.name);
    if (!isHidden) yield memberLine(member);
  }
  yield "";
}

function* doorLines(door: string, { module_doc, symbols }: ModuleDoc): Generator<string> {
  yield `## \`@hubbub/hub${door.slice(1)}\``;
  yield "";
  yield textOf(module_doc);
  yield "";
  const kinds = Object.keys(KINDS);
  const sorted = symbols.map(({ name, declarations }) => ({ name, declaration: declarations[0] }))
    .sort((one, other) => {
      return kinds.indexOf(one.declaration.kind) - kinds.indexOf(other.declaration.kind);
    });
  if (LISTED[door] !== undefined) {
    yield LISTED[door];
    yield "";
    for (const { name, declaration } of sorted) yield `- \`${name}\`: ${textOf(declaration.jsDoc)}`;
    yield "";
    return;
  }
  for (const { name, declaration } of sorted) yield* symbolLines(name, declaration);
}

if (import.meta.main) {
  const lines = [
    "# Reference",
    "",
    "What the package exports, made of its doc comments by `deno task reference`. With the types of",
    "parameters and with examples it is in your editor.",
    "",
  ];
  const rank = (door: string) => (FIRST.indexOf(door) + 1) || FIRST.length + 1;
  const doors = Object.entries<string>(source.exports)
    .sort(([one], [other]) => rank(one) - rank(other));
  const names = doors.map(([door]) => `@hubbub/hub${door.slice(1)}`);
  lines.push(names.map((name) => `[${name}](#${name.replaceAll(/[@/]/g, "")})`).join(" · "), "");
  for (const [door, file] of doors) {
    lines.push(...doorLines(door, await describe(file)));
  }
  await Deno.writeTextFile(TARGET, lines.join("\n"));
}
