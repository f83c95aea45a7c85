import type { LoadOptions } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";

const SOURCES = new URL("peers/", import.meta.url).pathname;
/** What npm is to bring, and what goes by another name there. */
const PACKAGES = ["bun@1.4.5", "ws@8.23.0", "socket.io@4.8.4"];
const GORILLA = "github.com/gorilla/websocket@v1.5.3";

const TEXT = "hello everyone in this room";

/** A server that the hub is measured beside. */
interface Peer {
  /** How to start it, given where the peers are installed. */
  readonly command: (home: string) => readonly string[];
  /** How to load it, where that is other than the default of peers. */
  readonly load?: Pick<LoadOptions, "path" | "message" | "init">;
  /** Makes it ready. */
  readonly install: (home: string) => Promise<void>;
}

const PEERS: Readonly<Record<string, Peer>> = {
  bun: {
    command: (home) => [`${home}/node_modules/.bin/bun`, "run", `${home}/peers/bun.js`],
    install: installPackages,
  },
  deno_raw: {
    command: (home) => {
      const allow = ["--no-prompt", "--no-config", "--allow-net", "--allow-env=PORT"];
      return [Deno.execPath(), "run", ...allow, `${home}/peers/deno_raw.ts`];
    },
    install: async () => {},
  },
  node_ws: {
    command: (home) => ["node", `${home}/peers/node_ws.cjs`],
    install: installPackages,
  },
  socketio: {
    command: (home) => ["node", `${home}/peers/socketio.cjs`],
    load: {
      path: "/socket.io/?EIO=4&transport=websocket&room=room%r",
      message: `42["msg","%t ${TEXT}, as long as the others: chat_message"]`,
      init: ["40"],
    },
    install: installPackages,
  },
  gorilla: {
    command: (home) => [`${home}/gorilla`],
    install: buildGorilla,
  },
};

/** The names of all peers. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

/** Peers as they are installed: in a folder of their own, not among this project's packages. */
export class Peers {
  readonly #home: string;
  /** Those that can be started. */
  readonly names: readonly string[];

  private constructor(home: string, names: readonly string[]) {
    this.#home = home;
    this.names = names;
  }

  /**
   * Installs peers, or finds them installed.
   *
   * @param names Which.
   * @param home The folder for them; what is there already is used.
   * @param onMissing Hears of those that could not be installed, and why.
   * @throws {RangeError} Where there is no peer of such a name.
   */
  static async install(
    names: readonly string[],
    { home, onMissing }: {
      readonly home: string;
      readonly onMissing: (name: string, error: unknown) => void;
    },
  ): Promise<Peers> {
    const unknown = names.find((name) => !(name in PEERS));
    if (unknown) throw new RangeError(`There is no peer "${unknown}": ${PEER_NAMES.join(", ")}`);
    await copySources(home);
    const installed: string[] = [];
    for (const name of names) {
      try {
        await PEERS[name].install(home);
        installed.push(name);
      } catch (error) {
        onMissing(name, error);
      }
    }
    return new Peers(home, installed);
  }

  /**
   * Starts a peer.
   *
   * @param name Its name.
   * @param processors The processors that it may use.
   */
  async start(name: string, processors: string): Promise<LoadedServer> {
    return await LoadedServer.start(PEERS[name].command(this.#home), { processors });
  }

  /** How to load a peer: the same text as the hub gets, in its own dress. */
  loadOf(name: string): Pick<LoadOptions, "path" | "message" | "init"> {
    const message = `{"type":"chat_message","payload":{"text":"%t ${TEXT}"}}`;
    return { path: "/room%r", message, ...PEERS[name].load };
  }
}

async function copySources(home: string): Promise<void> {
  await Deno.mkdir(`${home}/peers/gorilla`, { recursive: true });
  const files = ["bun.js", "deno_raw.ts", "node_ws.cjs", "socketio.cjs", "gorilla/main.go"];
  for (const file of files) await Deno.copyFile(SOURCES + file, `${home}/peers/${file}`);
}

async function installPackages(home: string): Promise<void> {
  const wanted = JSON.stringify(PACKAGES);
  const note = `${home}/installed.json`;
  if (await readIfThere(note) === wanted) return;
  await Deno.writeTextFile(`${home}/package.json`, "{}");
  await run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...PACKAGES], home);
  await Deno.writeTextFile(note, wanted);
}

async function buildGorilla(home: string): Promise<void> {
  const folder = `${home}/peers/gorilla`;
  if (await readIfThere(`${folder}/go.mod`) === undefined) {
    await run("go", ["mod", "init", "gorilla"], folder);
    await run("go", ["get", GORILLA], folder);
  }
  await run("go", ["build", "-o", `${home}/gorilla`, "."], folder);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const output = await new Deno.Command(program, { args: [...args], cwd }).output();
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new Error(`${program} ${args.join(" ")} ended with ${output.code}: ${said}`);
}
