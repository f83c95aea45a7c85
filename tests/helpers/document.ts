/** A block of code in a document. */
export interface CodeBlock {
  /** The language after the fence. */
  readonly language: string;
  readonly text: string;
}

const ROOT = new URL("../..", import.meta.url);

/** Folders in which a file may stand that a document names without one. */
const FOLDERS = ["", "src/", "docs/", "tests/unit/", "tests/system/", "tests/page/", "tests/"];

/** The paths of all documents of this repository, from its root. */
export const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "examples/README.md",
  "docs/installing.md",
  "docs/tutorial.md",
  "docs/client.md",
  "docs/react.md",
  "docs/svelte-and-vue.md",
  "docs/protocol.md",
  "docs/reference.md",
  "docs/configuration.md",
  "docs/deploying.md",
  "docs/machines.md",
  "docs/how-it-works.md",
  "docs/comparison.md",
  "docs/coming-from.md",
  "docs/performance.md",
] as const;

/** A page of Markdown in this repository. */
export class Document {
  /** Its path from the repository's root. */
  readonly path: string;
  readonly text: string;

  /** Takes the text of the page. */
  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** Reads a page of this repository. */
  static read(path: typeof DOCUMENTS[number]): Document {
    return new Document(path, Deno.readTextFileSync(new URL(path, ROOT)));
  }

  /** The blocks of code, in order. */
  get blocks(): CodeBlock[] {
    const found = this.text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm);
    return [...found].map(([, language, text]) => ({ language, text }));
  }

  /** The lines for a shell, comments left out, lines that go on put together. */
  get commands(): string[] {
    return this.blocks.filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.replace(/\\\n\s*/g, "").split("\n"))
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  }

  /** The text without the blocks of code. */
  get prose(): string {
    return this.text.replace(/^```[\s\S]*?^```$/gm, "");
  }

  /** What stands in backticks, outside of blocks. */
  get words(): string[] {
    return [...this.prose.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word);
  }

  /** The files and folders of this repository that its text names. */
  get files(): string[] {
    const named = this.words.filter((word) => {
      return /^[\w./-]+\.(ts|tsx|md|json|service|toml|yml|conf)$/.test(word) ||
        /^(src|tests|links|deploy|docs|tools|examples)(\/[\w./-]+)?$/.test(word);
    });
    return [...new Set(named)];
  }

  /** Its links and pictures, each from the repository's root. */
  get links(): string[] {
    const found = [
      ...this.text.matchAll(/(?:src|srcset)="([^":]+)"/g),
      ...this.prose.matchAll(/\]\(([^):#]+)(?:#[\w-]+)?\)/g),
    ];
    return found.map(([, path]) => {
      return new URL(path, new URL(this.path, "file:///")).pathname.slice(1);
    });
  }

  /**
   * Cuts a chapter out.
   *
   * @param title Its title.
   * @returns Its text, up to the next title of the same rank.
   */
  chapter(title: string): string {
    const [, rest] = this.text.split(`\n## ${title}\n`);
    if (rest === undefined) throw new Error(`${this.path} has no chapter "${title}"`);
    return rest.split("\n## ")[0];
  }

  /**
   * Finds a block of code.
   *
   * @param language Its language.
   * @param text A part of it.
   * @returns Its text.
   */
  block(language: string, text: string): string {
    const found = this.blocks.find((block) => {
      return block.language === language && block.text.includes(text);
    });
    if (!found) throw new Error(`${this.path} has no ${language} with "${text}"`);
    return found.text;
  }

  /**
   * Reads a table.
   *
   * @param title The first cell of its head.
   * @returns Its rows, each the text of its cells.
   */
  table(title: string): string[][] {
    const lines = this.text.split("\n");
    const start = lines.findIndex((line) => cellsOf(line)[0] === title);
    if (start < 0) throw new Error(`${this.path} has no table that begins with "${title}"`);
    const rest = lines.slice(start + 2);
    const end = rest.findIndex((line) => !line.startsWith("|"));
    return rest.slice(0, end < 0 ? undefined : end).map(cellsOf);
  }
}

function cellsOf(line: string): string[] {
  if (!line.startsWith("|")) return [];
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
}

/** Tells whether a file or folder that a document names is there. */
export function isThere(path: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      return Deno.statSync(new URL(folder + path, ROOT)) !== undefined;
    } catch {
      return false;
    }
  });
}
