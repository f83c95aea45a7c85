// Prints the files that a start may use, for --allow-read and --allow-write: the database that
// HUBBUB_KV names, and what locks it where the system cannot lock the database itself.

const kv = Deno.env.get("HUBBUB_KV") || "hubbub.sqlite3";
if (kv.includes(",")) {
  console.error(`HUBBUB_KV cannot be "${kv}": Deno can grant no path with a comma`);
  Deno.exit(1);
}
console.log(`${kv},${kv}.lock`);
