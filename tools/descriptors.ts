// How many open files a process may have, as Linux says; prints it where it is run.

/** Reads the number; empty elsewhere. */
export function descriptorLimit(): string {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    // The hard limit: Deno takes what it may have.
    return /^Max open files +\S+ +(\S+)/m.exec(limits)?.[1] ?? "";
  } catch {
    return "";
  }
}

if (import.meta.main) console.log(descriptorLimit());
