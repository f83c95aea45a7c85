// Makes a backup of the database while the server runs:
//   deno task backup FILE
// A copy of an open database file is torn; this one is a state of it between two commits. FILE must
// not exist. To restore, stop the server, and put FILE where HUBBUB_KV says (without its -wal and
// -shm files of before).

import { backup, DatabaseSync } from "node:sqlite";

/**
 * Writes a database file into another.
 *
 * @param from The database, which may be in use.
 * @param to The file to make.
 * @throws {Error} Where there is no database, or a file of that name already.
 */
export async function backUp(from: string, to: string): Promise<void> {
  if (/^https?:/.test(from) || from === ":memory:") {
    throw new Error(`Cannot back up ${from}: it is no file. Back up where the database runs`);
  }
  Deno.statSync(from); // SQLite would make an empty one.
  create(to);
  using database = new DatabaseSync(from);
  try {
    // All pages in one step: between two, a commit would make it begin anew, again and again.
    await backup(database, to, { rate: -1 });
  } catch (error) {
    Deno.removeSync(to);
    throw error;
  }
}

/** Creates a file that nobody else may read, as the database is. */
function create(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Error(`Cannot write ${path}: it exists`);
    }
    throw error;
  }
}

if (import.meta.main) {
  const [to, ...more] = Deno.args;
  if (to === undefined || more.length > 0) {
    console.error("Usage: deno task backup FILE");
    Deno.exit(2);
  }
  const from = Deno.env.get("HUBBUB_KV") || "hubbub.sqlite3";
  try {
    await backUp(from, to);
    console.log(`${from} is backed up in ${to}: ${Deno.statSync(to).size} bytes`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
