// Prints the file that a start runs, and its lock: that with the client of PostgreSQL where it is needed, so that
// nobody else downloads it. deno run --allow-env=HUBBUB_POSTGRES tools/entry.ts main.ts

const [file] = Deno.args;
console.log(Deno.env.get("HUBBUB_POSTGRES") ? `--lock=postgres.lock postgres_${file}` : file);
