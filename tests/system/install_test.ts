// What docs/installing.md tells to install and to run, in Node 20 and 22, Bun and TypeScript.

import { assert, assertEquals, assertMatch } from "@std/assert";
import source from "../../src/deno.json" with { type: "json" };
import { Document } from "../helpers/document.ts";
import { inFolder } from "../helpers/folder.ts";
import { NpmProject } from "../helpers/npm_project.ts";
import { needs } from "../helpers/permissions.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";
import { serveAlone } from "../helpers/test_server.ts";

const ALL = needs("net", "run", "read", "write", "env");
const NPM = { ...ALL, ignore: ALL.ignore || !await hasCommand("npm") };
const ROOT = new URL("../../", import.meta.url).pathname;

/** What a program is written with; .ci/run downloads the same versions. */
const TOOLS = ["ws@8.23.0", "typescript@7.0.2", "@types/node@20.19.43", "@types/ws@8.18.2"];

/** With the types of Node alone. */
const NODE = { module: "nodenext", lib: ["es2023"], types: ["node"] };
/** As a bundler for browsers would have it. */
const BROWSER = {
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["es2023", "esnext.disposable", "dom"],
  types: [],
};

const page = ALL.ignore ? new Document("", "") : Document.read("docs/installing.md");

/** The program of the page, for a server. */
function program(url: string): string {
  return page.block("ts", "lobby.send").replaceAll("http://localhost:8000", url);
}

/** The same with the lines that Node 20 needs. */
function programWithWs(url: string): string {
  const [imported, opened] = page.block("ts", "WebSocket }").trim().split("\n\n");
  const lines = program(url).replace(
    /^const client = .*$/m,
    opened.replace(/"http:[^"]+"/, `"${url}"`),
  );
  assert(lines.includes("WebSocket }"));
  return `${imported}\n${lines}`;
}

/** Makes the package as the page says; gives the tarball. */
async function pack(folder: string): Promise<string> {
  assert(page.commands.includes("deno task client"));
  await Shell.run(`deno task client ${folder}`, { folder: ROOT });
  return `${folder}/hubbub-client-${source.version}.tgz`;
}

Deno.test("installing.md's client comes alone, and chats in Node, Bun and TypeScript", {
  ...NPM,
}, async (test) => {
  await using server = await serveAlone();
  await inFolder(async (folder) => {
    const tarball = await pack(folder);
    assert(page.commands.includes(`npm install ../hubbub/build/${tarball.split("/").pop()}`));
    const project = await NpmProject.install(folder, tarball, ...TOOLS);
    if (!project) return;
    const chats = async (runtime: string) => {
      const said = await project.runIfThere(`${runtime} chat.mjs`);
      if (said !== undefined) assertMatch(said, /(^|\n)robot: hello \(sent\)\n$/);
    };

    await test.step("it needs no other package, and holds the client alone", async () => {
      const lock = JSON.parse(await Deno.readTextFile(`${folder}/package-lock.json`));
      const { dependencies, peerDependenciesMeta = {} } =
        lock.packages["node_modules/@hubbub/client"];
      assertEquals([dependencies, peerDependenciesMeta], [undefined, {
        react: { optional: true },
      }]);
      assertEquals(Object.keys(lock.packages).filter((path) => path.endsWith("/react")), []);
      const files = await project.run("tar -tzf hubbub-client-*.tgz");
      const kinds = files.trim().split("\n").map((path) => {
        return path.replace(/^package\/(\w+)\/\w+(\.d\.ts|\.js)$/, "$1/*$2");
      });
      assertEquals([...new Set(kinds.filter((kind) => !kind.endsWith("/")))].sort(), [
        "client/*.d.ts",
        "client/*.js",
        "package/LICENSE",
        "package/README.md",
        "package/package.json",
        "protocol/*.d.ts",
        "protocol/*.js",
        "react/*.d.ts",
        "react/*.js",
      ]);
    });

    await test.step("JSR would take it", async () => {
      const line = "deno publish --dry-run --allow-dirty --no-check";
      const said = await Shell.run(line, { folder: `${folder}/client` });
      assertMatch(said, new RegExp(`Simulating publish of @hubbub/client@${source.version}`));
    });

    await test.step("Node 22 and Bun chat with their own WebSocket", async () => {
      await project.write("chat.mjs", program(server.url));
      await chats("npx -y node@22");
      // In a folder of its own, into which Bun installs it.
      await Deno.mkdir(`${folder}/bun`);
      await project.write("bun/package.json", '{"type": "module"}');
      await project.write("bun/chat.mjs", program(server.url));
      const line = `cd ${folder}/bun && bun add ${tarball} && bun`;
      await chats(`npx -y -p bun@1.4.5 -c '${line} chat.mjs' #`);
    });

    await test.step("Node 20 says what is missing, and chats with ws", async () => {
      const node = (await project.run("node --version")).startsWith("v20.")
        ? "node"
        : "npx -y node@20";
      const failed = await chats(node).then(() => "", ({ message }) => message);
      if (failed === "") return;
      assertMatch(failed, /TypeError: There is no WebSocket here: pass one/);
      await project.write("chat.mjs", programWithWs(server.url));
      await chats(node);
    });

    await test.step("its types are right for Node and for browsers", async () => {
      const check = async (text: string, options: Record<string, unknown>) => {
        const compilerOptions = { target: "es2022", strict: true, noEmit: true, ...options };
        await project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["a.ts"] }));
        await project.write("a.ts", `${text}\n// @ts-expect-error\nlobby.send({ text: 7 });\n`);
        assertEquals(await project.run("node node_modules/typescript/bin/tsc"), "");
      };
      await check(programWithWs(server.url), NODE);
      await check(program(server.url), BROWSER);
    });
  });
});
