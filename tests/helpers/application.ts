import { inFolder } from "./folder.ts";

const ROOT = new URL("../../", import.meta.url);
/** What a package of the client is in this repository. */
const SOURCES = {
  "@hubbub/client/react": new URL("src/react/mod.ts", ROOT).href,
  "@hubbub/client": new URL("src/client/mod.ts", ROOT).href,
};

/**
 * Bundles an application that imports the client as a frontend does, with the frameworks that
 * `deno.test.json` has.
 *
 * @param files The files by their names.
 * @param entry The name of the one that is run.
 * @returns The script for a browser.
 */
export async function bundle(
  files: Readonly<Record<string, string>>,
  entry: string,
): Promise<string> {
  return await inFolder(async (folder) => {
    for (const [name, text] of Object.entries(files)) {
      // What the configuration of a project of one's own would say.
      const head = name.endsWith(".tsx")
        ? "/** @jsxRuntime automatic @jsxImportSource react */"
        : "";
      const lines = Object.entries(SOURCES).reduce((text, [name, url]) => {
        return text.replaceAll(`"${name}"`, `"${url}"`);
      }, text);
      await Deno.writeTextFile(`${folder}/${name}`, head + lines);
    }
    const config = new URL("deno.test.json", ROOT).pathname;
    const args = ["bundle", "--frozen", "--platform=browser", "--config", config];
    const { success, code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `${folder}/${entry}`],
      env: { NO_COLOR: "1" },
    }).output();
    const [script, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (!success) throw new Error(`deno bundle ended with ${signal ?? code}: ${said}`);
    return script;
  });
}

/** A site of one page that runs a script. */
export class ScriptSite implements AsyncDisposable {
  /** Where the page is; its origin. */
  readonly url: string;
  /** The script. */
  script = "";
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const isScript = new URL(url).pathname === "/app.js";
      const body = isScript
        ? this.script
        : '<!doctype html><div id="root"></div><script type="module" src="/app.js"></script>';
      const headers = { "content-type": isScript ? "text/javascript" : "text/html" };
      return new Response(body, { headers });
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
