// A database that is put back to a backup under the hubs that use it, as a remote one may be.

import { backup, DatabaseSync } from "node:sqlite";

/** A handle of a hub, which leads to the database that stands there now. */
interface Handle {
  kv: Deno.Kv;
  readonly prepare: (kv: Deno.Kv) => void;
}

/** A database file with backups; what a hub holds on to is another file after each restore. */
export class RestorableStore {
  readonly #folder: string;
  readonly #handles = new Set<Handle>();
  /** What hubs hold no longer, and is closed at the end. */
  readonly #abandoned: Deno.Kv[] = [];
  #backup: string | undefined;
  #count = 0;

  /** @param folder An empty folder. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How often it was put back. */
  get epoch(): number {
    return this.#count;
  }

  /** The file of an epoch; without a number the present one. */
  path(epoch: number = this.#count): string {
    return `${this.#folder}/kv${epoch}.sqlite3`;
  }

  /** The file that an epoch began with, where there was one. */
  basePath(epoch: number): string | undefined {
    return epoch === 0 ? undefined : `${this.#folder}/base${epoch}.sqlite3`;
  }

  /**
   * Opens it for a hub.
   *
   * @param prepare Called with each database before the hub uses it.
   */
  async open(prepare: (kv: Deno.Kv) => void): Promise<Deno.Kv> {
    const handle: Handle = { kv: await Deno.openKv(this.path()), prepare };
    prepare(handle.kv);
    this.#handles.add(handle);
    return new Proxy({} as Deno.Kv, {
      get: (_, name) => {
        if (name === "close") {
          return () => {
            if (this.#handles.delete(handle)) handle.kv.close();
          };
        }
        const value = Reflect.get(handle.kv, name);
        return typeof value === "function" ? value.bind(handle.kv) : value;
      },
    });
  }

  /** Makes a backup: the one that the next restore puts back. */
  async backUp(): Promise<void> {
    const path = `${this.#folder}/backup.sqlite3`;
    using database = new DatabaseSync(this.path());
    await backup(database, path, { rate: -1 });
    this.#backup = path;
  }

  /**
   * Puts it back to the backup, if there is one.
   *
   * @param closes Whether what hubs hold is closed, so that they notice; otherwise their watches
   * just tell nothing any more.
   * @returns Whether it was put back.
   */
  async restore(closes: boolean): Promise<boolean> {
    if (this.#backup === undefined) return false;
    this.#count++;
    await Deno.copyFile(this.#backup, this.path());
    await Deno.copyFile(this.#backup, this.basePath(this.#count)!);
    const opened = await Promise.all([...this.#handles].map(() => Deno.openKv(this.path())));
    // At once for all.
    for (const handle of this.#handles) {
      const kv = opened.pop();
      // Another one may have been opened meanwhile, and is right already.
      if (!kv) continue;
      if (closes) handle.kv.close();
      else this.#abandoned.push(handle.kv);
      handle.kv = kv;
      handle.prepare(kv);
    }
    for (const kv of opened) kv.close();
    this.#backup = undefined;
    return true;
  }

  /** Closes what is still open. */
  close(): void {
    for (const kv of this.#abandoned.splice(0)) kv.close();
    for (const { kv } of this.#handles) kv.close();
    this.#handles.clear();
  }
}
