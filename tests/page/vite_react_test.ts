/// <reference lib="dom" />
// examples/vite-react as its README says: installed, built, and driven in Chromium.

import { assertEquals } from "@std/assert";
import { createClient } from "@hubbub/hub/client";
import type { Page } from "playwright-core";
import example from "../../examples/vite-react/package.json" with {
  type: "json",
};
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { Document } from "../helpers/document.ts";
import { ExampleProgram } from "../helpers/example_program.ts";
import { inFolder } from "../helpers/folder.ts";
import { NpmProject } from "../helpers/npm_project.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";

const ALL = needs("net", "run", "read", "write", "env");
const ROOT = new URL("../../", import.meta.url).pathname;
const FILES = ["index.html", "vite.config.ts", "tsconfig.json", "src"];

/** The program with the page's names, built in a folder; undefined where npm is out of reach. */
async function build(folder: string): Promise<string | undefined> {
  const {
    dependencies: { "@hubbub/client": client, ...others },
    devDependencies,
  } = example;
  await Shell.run(`deno task client ${folder}`, { folder: ROOT });
  const packages = Object.entries({ ...others, ...devDependencies });
  const project = await NpmProject.install(
    folder,
    `${folder}/${client.split("/").pop()}`,
    ...packages.map(([name, version]) => `${name}@${version}`),
  );
  if (!project) return undefined;
  for (const file of FILES) {
    await Shell.run(`cp -r ${ROOT}examples/vite-react/${file} .`, { folder });
  }
  // The types of what the page of React shows are looked at with those of the example.
  const blocks = Document.read("docs/react.md").blocks.filter(({ language }) => language === "tsx");
  assertEquals(blocks.length, 2);
  for (const [index, { text }] of blocks.entries()) {
    await project.write(`src/docs${index}.tsx`, text);
  }
  await project.write("package.json", JSON.stringify(example));
  await project.run("npm run build");
  return `${folder}/dist`;
}

/** A window of a user, with what it complains of and how often it connects. */
class Window {
  readonly complaints: string[] = [];
  sockets = 0;

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => void this.complaints.push(error.message));
    page.on("websocket", () => void this.sockets++);
  }

  async signIn(url: string, user: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByLabel("Your name").fill(user);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByText("live", { exact: true }).waitFor();
  }

  channel(name: string) {
    return this.page.getByRole("region", { name });
  }

  listed(name: string) {
    return this.page.getByRole("listitem").filter({ hasText: `# ${name}` });
  }

  async join(name: string): Promise<void> {
    await this.page.getByLabel("Another channel").fill(name);
    await this.page.getByRole("button", { name: "Join" }).click();
    await this.channel(name).waitFor();
  }

  async say(name: string, text: string): Promise<void> {
    await this.page.getByLabel(`Message to ${name}`).fill(text);
    await this.page.getByLabel(`Message to ${name}`).press("Enter");
  }

  message(room: string, text: string) {
    return this.channel(room).getByRole("article").filter({ hasText: text });
  }
}

Deno.test(
  "the example with Vite has channels with badges, edits and reactions, in two windows",
  {
    ignore: ALL.ignore || BROWSER.ignore || !await hasCommand("npm"),
  },
  async () => {
    await inFolder(async (folder) => {
      const dist = await build(folder);
      if (dist === undefined) return;
      await using program = new ExampleProgram("vite_react.ts", dist);
      const [url] = await program.addresses(1);
      await using chromium = Chromium.shared();
      const open = async () => new Window(await chromium.window());
      const [ann, phone] = [await open(), await open()];
      const token = async () => {
        const answer = await fetch(`${url}/token`, {
          method: "POST",
          body: '{"user":"bob"}',
        });
        return await answer.text();
      };
      await using client = createClient(`${url}/chat`, { token });
      const [lobby, news] = ["lobby", "news"].map((name) => client.room(name));
      const ends = [lobby, news].map((room) => room.subscribe(() => {}));

      await ann.signIn(url, "ann");
      await ann.channel("lobby").waitFor();
      await ann.join("news");
      await news.send({ text: "It rains" });
      await lobby.send({ text: "hello ann" });
      // Two rooms are open, and what is in view is read.
      await ann.message("news", "It rains").waitFor();
      await ann.message("lobby", "hello ann").waitFor();
      news.typing();
      await ann.channel("news").getByText("bob typing…").waitFor();
      await eventually(
        async () => await ann.page.getByLabel(/unread/).count() === 0,
        "no badge",
      );

      // Edits and reactions, both ways.
      await ann.say("lobby", "helo bob");
      await ann.message("lobby", "helo bob").hover();
      await ann.channel("lobby").getByRole("button", { name: "Edit" }).click();
      await ann.channel("lobby").getByLabel("New text").fill("hello bob");
      await ann.channel("lobby").getByRole("button", { name: "Save" }).click();
      const hello = await eventually(
        () => lobby.snapshot.messages.find(({ text }) => text === "hello bob"),
        "bob to see the edit",
      );
      await lobby.react(hello, "👍");
      const thumb = ann.message("lobby", "hello bob").getByRole("button", {
        name: /^👍 \d/,
      });
      await thumb.filter({ hasText: "👍 1" }).click();
      await thumb.filter({ hasText: "👍 2" }).waitFor();
      assertEquals(await thumb.getAttribute("aria-pressed"), "true");

      // What comes in a closed channel has a badge, in the title too, and in another window.
      await ann.page.getByRole("button", { name: "Close news" }).click();
      for (const text of ["It snows", "It is cold, @ann"]) {
        await news.send({ text });
      }
      await ann.listed("news").getByText("@2", { exact: true }).waitFor();
      await ann.listed("news").getByText("bob: It is cold, @ann").waitFor();
      await eventually(
        async () => (await ann.page.title()).startsWith("(2) "),
        "the title",
      );
      await phone.signIn(url, "ann");
      await phone.listed("news").getByText("@2", { exact: true }).waitFor();
      const shots = Deno.env.get("SCREENSHOTS");
      if (shots) await phone.page.screenshot({ path: `${shots}/before.png` });
      await phone.listed("news").getByRole("button").click();
      await phone.channel("news").locator("hr + article").filter({
        hasText: "It snows",
      }).waitFor();
      // Read there, it is read here.
      for (const { page } of [ann, phone]) {
        await eventually(
          async () => await page.getByLabel(/unread/).count() === 0,
          "no badge",
        );
      }
      if (shots) await phone.page.screenshot({ path: `${shots}/after.png` });
      await phone.page.getByRole("button", { name: "Close lobby" }).click();

      const own = ann.message("lobby", "hello bob");
      await own.hover();
      await own.getByRole("button", { name: "Delete" }).click();
      await ann.message("lobby", "deleted").waitFor();
      ends.forEach((end) => end());
      for (const { complaints, sockets } of [ann, phone]) {
        assertEquals([complaints, sockets], [[], 1]);
      }
    });
  },
);
