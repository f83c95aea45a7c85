import { assertEquals, assertMatch } from "@std/assert";
import source from "../../src/deno.json" with { type: "json" };
import { Document } from "../helpers/document.ts";
import { needs } from "../helpers/permissions.ts";

const ROOT = new URL("../../", import.meta.url);
const run = needs("read", "run");

Deno.test("what is published is the package, its licence, and nothing else", run, async () => {
  const { stderr } = await deno("publish", "--dry-run", "--allow-dirty", "--no-check");
  const files = stderr.matchAll(/^ +(file:\S+) \(/gm).map(([, url]) => url.slice(ROOT.href.length));
  const published = new Set(files);
  const expected = new Set(["src/LICENSE", "src/deno.json", "src/page/assets.json"]);
  const addSources = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      if (isDirectory && name !== "page") await addSources(`${folder}${name}/`);
      if (name.endsWith(".ts")) expected.add(folder + name);
    }
  };
  await addSources("src/");
  assertEquals(published, expected);
});

for (const [entry, file] of Object.entries(source.exports)) {
  Deno.test(`@hubbub/hub${entry.slice(1)} says what it is, with examples`, run, async () => {
    const { stdout } = await deno("doc", "--json", file.replace("./", "src/"));
    const [doc] = Object.values<ModuleDoc>(JSON.parse(stdout).nodes);
    assertMatch(doc.module_doc.doc, /\w/);
    assertEquals(doc.module_doc.tags?.some(isExample), true, "an example of the module");
    const bare = doc.symbols.filter(({ declarations }) => declarations.some(lacksExample));
    assertEquals(bare.map(({ name }) => name), [], "functions and classes without an example");
    const names = doc.symbols.map(({ name }) => name);
    assertEquals(referenceNames(entry), names.sort(), "docs/reference.md: run deno task reference");
  });
}

/** The names in docs/reference.md's chapter of an entry. */
function referenceNames(entry: string): string[] {
  const chapter = Document.read("docs/reference.md").chapter(`\`@hubbub/hub${entry.slice(1)}\``);
  const titles = [
    ...chapter.matchAll(/^### (?:\w+ )?`(\w+)/gm),
    ...chapter.matchAll(/^- `(\w+)`:/gm),
  ];
  const isListed = entry === "./protocol";
  return titles.filter(([line]) => line.startsWith("-") === isListed).map(([, name]) => name)
    .sort();
}

interface Doc {
  readonly doc: string;
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: Doc;
}

interface ModuleDoc {
  readonly module_doc: Doc;
  readonly symbols: readonly { name: string; declarations: readonly Declaration[] }[];
}

function lacksExample({ kind, jsDoc }: Declaration): boolean {
  return (kind === "function" || kind === "class") && !jsDoc?.tags?.some(isExample);
}

function isExample({ kind, doc = "" }: { kind: string; doc?: string }): boolean {
  return kind === "example" && /^```ts$/m.test(doc);
}

async function deno(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const options = { args, cwd: ROOT, env: { NO_COLOR: "1" } };
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
