import type { Message } from "@hubbub/hub";
import { inFolder } from "./folder.ts";
import { HubProcess } from "./hub_process.ts";

/** What `deno task start:parallel` gives deno, for a database at this path. */
export async function parallelArgs(kv: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
  const { command } = tasks["start:parallel"];
  const args = command.slice(command.lastIndexOf("deno run") + "deno ".length);
  return args.replaceAll("$FILES", kv).replaceAll("$MAIN", "parallel.ts").replaceAll('"', "").split(
    " ",
  );
}

/** Runs something with a server of several isolates, over a database that is then removed. */
export async function withFolder<T>(action: (kv: string) => Promise<T>): Promise<T> {
  return await inFolder((folder) => action(`${folder}/kv.sqlite3`));
}

/** Starts a server of 4 isolates as the task does, without a limit of messages. */
export async function startParallel(
  kv: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<HubProcess> {
  return await HubProcess.start({
    HUBBUB_KV: kv,
    DENO_JOBS: "4",
    HUBBUB_MESSAGES_PER_SECOND: "0",
    ...environment,
  }, await parallelArgs(kv));
}

/** Fetches JSON over a connection of its own, so that the kernel chooses the isolate anew. */
export async function fetchJson<T>(url: string): Promise<T> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { client });
  return await response.json();
}

/** Reads a room's whole log page by page. */
export async function readPages(url: string, room: string): Promise<Message[]> {
  const messages: Message[] = [];
  let after = "0".repeat(20);
  for (;;) {
    const address = `${url}/rooms/${room}/messages?limit=100&after=${after}`;
    const page = await fetchJson<{ messages: Message[] }>(address);
    if (page.messages.length === 0) return messages;
    messages.push(...page.messages);
    after = page.messages[page.messages.length - 1].cursor;
  }
}
