// What operators do by hand, over HTTP, while the server runs:
//   deno task admin help
// It reads HUBBUB_ADMIN_TOKEN; --url says where the server is, if not at http://127.0.0.1:8000.

import { checkRoomFile, importRoomFile, RoomFileError } from "./room_file.ts";

const HELP = `Usage: deno task admin COMMAND

  rooms                                 list all rooms, with their last cursor
  post ROOM USER TEXT                   say something as any user
  export ROOM [FILE]                    write all messages, a line each, into a new file or out
  import ROOM FILE [--append]           store the messages of an export in an empty room
  sanctions [--room ROOM]               list what holds, in one room or in all rooms
  sanction mute|ban|kick USER [--room ROOM] [--seconds N] [--reason TEXT]
  unsanction USER [--room ROOM]         lift what holds for a user
  delete ROOM                           delete a room, with all that was said
  erase USER                            erase what a user has said, in all rooms
  compact                               give back the space of what was erased
  help                                  this

HUBBUB_ADMIN_TOKEN is the server's. With --url URL it is not at http://127.0.0.1:8000.
It ends with 0, with 1 where the server refuses or cannot be reached, with 2 where the
command is wrong. Without --room, sanctions hold in all rooms.`;

/** What the program uses. */
export interface AdminOptions {
  /** The server, unless the command says another. */
  readonly url: string;
  /** The token of operators. */
  readonly token: string;
  /** Writes what was asked for. */
  readonly out: (text: string) => void | Promise<void>;
  /** Writes progress. */
  readonly note: (text: string) => void;
}

/** A command that is not one. */
class UsageError extends Error {}
/** What the server refuses, or why it cannot be reached. */
class ServerError extends Error {}

/**
 * Does what a command says.
 *
 * @param args The command.
 * @param options The server, and where to write.
 * @returns The exit code.
 */
export async function runAdmin(args: readonly string[], options: AdminOptions): Promise<number> {
  try {
    await run(args, options);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      options.note(`${error.message}\n\n${HELP}`);
      return 2;
    }
    const isKnown = error instanceof ServerError || error instanceof RoomFileError ||
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.AlreadyExists;
    options.note(isKnown ? error.message : String(error instanceof Error ? error.stack : error));
    return 1;
  }
}

async function run(args: readonly string[], given: AdminOptions): Promise<void> {
  const { out, note } = given;
  const [command = "help", ...rest] = args;
  if (command === "help" || command === "--help" || command === "-h") return await out(HELP);
  const { names, flags } = parse(rest, ["URL", ...FLAGS[command] ?? []]);
  const options = { ...given, url: flags.url ?? given.url };
  const take = (...wanted: string[]) => {
    if (names.length !== wanted.length) {
      throw new UsageError(`"${command}" takes ${wanted.join(" ") || "no arguments"}`);
    }
    return names;
  };
  if (options.token === "") throw new ServerError("HUBBUB_ADMIN_TOKEN is not set");
  const ask = (method: string, path: string, body?: unknown) =>
    request(options, method, path, body);
  const room = (name: string) => `/rooms/${encodeURIComponent(name)}`;
  const sanctions = flags.room === undefined ? "/sanctions" : `${room(flags.room)}/sanctions`;
  switch (command) {
    case "rooms": {
      take();
      for (let after: string | null = ""; after !== null;) {
        const query: string = new URLSearchParams({ limit: "1000", after }).toString();
        const page: { rooms: { room: string; cursor: string }[]; next: string | null } =
          await (await ask("GET", `/rooms?${query}`)).json();
        const lines = page.rooms.map(({ room, cursor }) => `${room}\t${cursor}`);
        if (lines.length > 0) await out(lines.join("\n"));
        after = page.next;
      }
      return;
    }
    case "post": {
      const [name, user, text] = take("ROOM", "USER", "TEXT");
      const { cursor } = await (await ask("POST", `${room(name)}/messages`, { user, text })).json();
      return await out(cursor);
    }
    case "export": {
      if (names.length === 1) names.push("-");
      const [name, file] = take("ROOM", "[FILE]");
      return await exportRoom(options, `${room(name)}/export`, file);
    }
    case "import": {
      const [name, file] = take("ROOM", "FILE");
      const { count, answered } = await checkRoomFile(file);
      const page = await (await ask("GET", `${room(name)}/messages?limit=1`)).json();
      if (page.messages.length > 0 && flags.append === undefined) {
        throw new ServerError(`Room "${name}" is not empty: import with --append all the same`);
      }
      let stored = 0;
      await importRoomFile(file, answered, async ({ lines: [first, last], messages }) => {
        try {
          const answer = await ask("POST", `${room(name)}/import`, { messages });
          const { cursors } = await answer.json();
          stored += messages.length;
          if (Math.floor(stored / 100_000) > Math.floor((stored - messages.length) / 100_000)) {
            note(`${stored} of ${count}`);
          }
          return cursors;
        } catch (error) {
          if (!(error instanceof ServerError)) throw error;
          const what = `lines before ${first} are stored, of ${first} to ${last} some may be`;
          throw new ServerError(`${error.message}; ${what}`);
        }
      });
      return await out(`${stored} messages are stored in "${name}"`);
    }
    case "sanctions": {
      take();
      const { sanctions: found } = await (await ask("GET", sanctions)).json();
      for (const { user, kind, by, until, reason } of found) {
        const end = until === undefined ? "for good" : `until ${new Date(until).toISOString()}`;
        await out([kind, user, end, by ?? "an operator", reason ?? ""].join("\t"));
      }
      return;
    }
    case "sanction": {
      const [kind, user] = take("KIND", "USER");
      const seconds = flags.seconds === undefined ? undefined : Number(flags.seconds);
      await (await ask("POST", sanctions, { kind, user, seconds, reason: flags.reason })).json();
      return;
    }
    case "unsanction": {
      const [user] = take("USER");
      return void await ask("DELETE", `${sanctions}?${new URLSearchParams({ user })}`);
    }
    case "delete": {
      const [name] = take("ROOM");
      return await show(out, await ask("DELETE", room(name)));
    }
    case "erase": {
      const [user] = take("USER");
      return await show(out, await ask("DELETE", `/users?${new URLSearchParams({ user })}`));
    }
    case "compact":
      take();
      return await show(out, await ask("POST", "/compact"));
    default:
      throw new UsageError(`There is no command "${command}"`);
  }
}

/** The flags of the commands that have some; those in capitals take a value. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  import: ["append"],
  sanctions: ["ROOM"],
  sanction: ["ROOM", "SECONDS", "REASON"],
  unsanction: ["ROOM"],
};

function parse(
  args: readonly string[],
  known: readonly string[],
): { names: string[]; flags: Record<string, string | undefined> } {
  const names: string[] = [];
  const flags: Record<string, string | undefined> = {};
  for (let i = 0; i < args.length; i++) {
    const [, flag, given] = /^--([a-z]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (flag === undefined) names.push(args[i]);
    else if (known.includes(flag) && given === undefined) flags[flag] = "";
    else if (known.includes(flag.toUpperCase())) {
      const value = given ?? args[++i];
      if (value === undefined) throw new UsageError(`--${flag} takes a value`);
      flags[flag] = value;
    } else throw new UsageError(`It takes no ${args[i]}`);
  }
  return { names, flags };
}

async function request(
  { url, token }: AdminOptions,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url.replace(/\/$/, "") + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw new ServerError(`Cannot reach ${url}: ${error instanceof Error ? error.message : error}`);
  }
  if (response.ok) return response;
  const text = await response.text();
  let why = text.slice(0, 200);
  try {
    const { code, message } = JSON.parse(text).error;
    why = `${message} (${code})`;
  } catch { /* It is no hub's. */ }
  throw new ServerError(`The server answers ${response.status}: ${why}`);
}

async function exportRoom(options: AdminOptions, path: string, file: string): Promise<void> {
  // First of all: nothing is asked for that cannot be written.
  using to = file === "-"
    ? undefined
    : await Deno.open(file, { write: true, createNew: true, mode: 0o600 });
  try {
    const { body } = await request(options, "GET", path);
    for await (const bytes of body!) {
      if (!to) await Deno.stdout.write(bytes);
      for (let at = 0; to && at < bytes.length;) at += await to.write(bytes.subarray(at));
    }
  } catch (error) {
    // Half of an export must not be taken for one.
    if (to) await Deno.remove(file);
    if (error instanceof ServerError) throw error;
    throw new ServerError(
      `The export broke off: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Writes what an answer says, as it comes. */
async function show(out: AdminOptions["out"], response: Response): Promise<void> {
  const text = (await response.text()).trim();
  if (text !== "") await out(text);
}

if (import.meta.main) {
  const code = await runAdmin(Deno.args, {
    url: "http://127.0.0.1:8000",
    token: Deno.env.get("HUBBUB_ADMIN_TOKEN") ?? "",
    out: (text) => console.log(text),
    note: (text) => console.error(text),
  });
  Deno.exit(code);
}
