// Prints the files that a start may use, for --allow-read and --allow-write: the database that
// HUBBUB_KV names, its write-ahead log, which is looked at now and then, and what locks it where the
// system cannot lock the database itself. With a PostgreSQL they are the files of the authorities that
// its addresses name, or one that is not there.

const variable = Deno.env.get("HUBBUB_POSTGRES") ? "HUBBUB_POSTGRES" : "HUBBUB_KV";
const kv = Deno.env.get("HUBBUB_KV") || "hubbub.sqlite3";
const files = variable === "HUBBUB_KV" ? [kv, `${kv}-wal`, `${kv}.lock`] : authorities();
for (const file of files) {
  if (!file.includes(",")) continue;
  console.error(`${variable} cannot be "${file}": Deno can grant no path with a comma`);
  Deno.exit(1);
}
console.log(files.join());

function authorities(): string[] {
  const found = ["HUBBUB_POSTGRES", "HUBBUB_POSTGRES_LISTEN"].flatMap((name) => {
    const file = /[?&]sslrootcert=([^&]+)/.exec(Deno.env.get(name) ?? "")?.[1];
    return file === undefined ? [] : [decodeURIComponent(file)];
  });
  return found.length > 0 ? [...new Set(found)] : ["no-database"];
}
