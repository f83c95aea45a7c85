/** A block of code in a page of Markdown. */
export interface CodeBlock {
  /** What it is written in, as the page says. */
  readonly language: string;
  readonly text: string;
}

const ROOT = new URL("../..", import.meta.url);

/** Folders in which a file may stand that a page names without one. */
const FOLDERS = ["", "src/", "tests/unit/", "tests/system/", "tests/page/", "tests/"];

/** The README, as a test sees it. */
export class Readme {
  readonly text: string;

  /** Takes the text of the page. */
  constructor(text: string) {
    this.text = text;
  }

  /** Reads the page of this repository. */
  static read(): Readme {
    return new Readme(Deno.readTextFileSync(new URL("README.md", ROOT)));
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

  /** The files and folders of this repository that it names. */
  get files(): string[] {
    const named = this.words.filter((word) => {
      return /^[\w./-]+\.(ts|md|json|service|toml|yml)$/.test(word) ||
        /^(src|tests|links|deploy|docs|tools)(\/[\w./-]+)?$/.test(word);
    });
    const linked = [
      ...this.text.matchAll(/(?:src|srcset)="([^":]+)"/g),
      ...this.text.matchAll(/\]\(([^):#]+)\)/g),
    ].map(([, path]) => path);
    return [...new Set([...named, ...linked])];
  }

  /**
   * Cuts a chapter out.
   *
   * @param title Its title.
   * @returns Its text, up to the next title of the same rank.
   */
  chapter(title: string): string {
    const [, rest] = this.text.split(`\n## ${title}`);
    if (rest === undefined) throw new Error(`README has no chapter "${title}"`);
    return rest.split("\n## ")[0];
  }
}

/** Tells whether a file or folder that the README names is there. */
export function isThere(path: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      return Deno.statSync(new URL(folder + path, ROOT)) !== undefined;
    } catch {
      return false;
    }
  });
}
