/**
 * Work that commits leave behind, in Deno KV.
 *
 * @module
 */

import {
  type StoreTask,
  StoreTasks,
  type StoreTasksOptions,
  type TaskName,
  type TaskStep,
} from "../store_tasks.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvClearer } from "./kv_clearer.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvUserEraser } from "./kv_user_eraser.ts";

/** Tasks that one look finds. */
const LIST_MAX = 1_000;

/** What stands of a task: times in milliseconds since the epoch. */
interface TaskValue {
  readonly since: number;
  readonly at?: number;
  readonly after?: string;
}

/** What {@linkcode KvTasks} works at. */
export interface KvTasksOptions extends StoreTasksOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Deletes what stood in deleted rooms. */
  readonly clearer: KvClearer;
  /** Erases what users wrote. */
  readonly userEraser: KvUserEraser;
}

/** Does what commits have left to be done. */
export class KvTasks extends StoreTasks {
  readonly #options: KvTasksOptions;

  /** @param options The database, and who does what. */
  constructor(options: KvTasksOptions) {
    super(options);
    this.#options = options;
  }

  protected override async list(): Promise<readonly StoreTask[]> {
    const { handle, keys: { tasks: prefix } } = this.#options;
    return await handle.call("list tasks", async (kv, progress) => {
      const found: StoreTask[] = [];
      for await (const entry of kv.list<TaskValue>({ prefix }, { limit: LIST_MAX })) {
        progress();
        const [kind, room, user] = entry.key.slice(prefix.length).map(String);
        if (kind === "clear" || kind === "erase_user") {
          found.push(taskOf({ kind, room, user }, entry));
        }
      }
      return found;
    });
  }

  protected override async find(name: TaskName): Promise<StoreTask | undefined> {
    const key = this.#key(name);
    const entry = await this.#options.handle.call("get", (kv) => kv.get<TaskValue>(key));
    return entry.versionstamp === null ? undefined : taskOf(name, entry);
  }

  protected override async claim(task: StoreTask): Promise<StoreTask | undefined> {
    const { handle } = this.#options;
    const key = this.#key(task);
    const claimed = await untilWritten(async () => {
      const { value } = await handle.call("get", (kv) => kv.get<TaskValue>(key));
      const written: TaskValue = {
        since: value?.since ?? Date.now(),
        at: Date.now(),
        after: task.after,
      };
      const result = await handle.call("claim", (kv) => {
        return kv.atomic().check({ key, versionstamp: task.version }).set(key, written).commit();
      });
      return { result, written };
    });
    if (!claimed.result.ok) return undefined;
    return taskOf(task, { value: claimed.written, versionstamp: claimed.result.versionstamp });
  }

  protected override async end(task: StoreTask): Promise<void> {
    const { handle, userEraser } = this.#options;
    const key = this.#key(task);
    const { ok } = await untilWritten(() => {
      return handle.call("end a task", (kv) => {
        return kv.atomic().check({ key, versionstamp: task.version }).delete(key).commit();
      });
    });
    if (ok && task.kind === "erase_user") await userEraser.end(task.room, task.user);
  }

  protected override async step(task: StoreTask): Promise<TaskStep> {
    const { clearer, userEraser } = this.#options;
    return await (task.kind === "clear" ? clearer : userEraser).step(task);
  }

  #key({ kind, room, user }: TaskName): Deno.KvKey {
    return this.#options.keys.task(kind, room, user);
  }
}

function taskOf(
  { kind, room, user }: TaskName,
  { value, versionstamp }: { readonly value: TaskValue; readonly versionstamp: string },
): StoreTask {
  const { since, at = 0, after = "" } = value;
  const now = Date.now();
  return {
    kind,
    room,
    user,
    after,
    ageMs: now - since,
    idleMs: now - Math.max(at, since),
    version: versionstamp,
  };
}
