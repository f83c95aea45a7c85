// Prints the files that a start may use, for --allow-read and --allow-write: the database that
// HUBBUB_KV names, its write-ahead log, which is looked at now and then, and what locks it where the
// system cannot lock the database itself. With a PostgreSQL that is the file of the authorities that its address names, or one that is not there.

const { postgres, kv = "hubbub.sqlite3" } = {
  postgres: Deno.env.get("HUBBUB_POSTGRES"),
  kv: Deno.env.get("HUBBUB_KV") || undefined,
};
const authorities = /[?&]sslrootcert=([^&]+)/.exec(postgres ?? "")?.[1] ?? "no-database";
const files = postgres ? [decodeURIComponent(authorities)] : [kv, `${kv}-wal`, `${kv}.lock`];
for (const file of files) {
  if (!file.includes(",")) continue;
  const variable = postgres ? "HUBBUB_POSTGRES" : "HUBBUB_KV";
  console.error(`${variable} cannot be "${file}": Deno can grant no path with a comma`);
  Deno.exit(1);
}
console.log(files.join());
