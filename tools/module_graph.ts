/**
 * The modules of this repository that others import.
 *
 * @module
 */

/**
 * Finds modules and all that they import by relative paths.
 *
 * @param entries The URLs of the modules.
 * @returns The URLs of all, those of the entries too.
 */
export async function modulesFrom(...entries: URL[]): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (url: URL) => {
    if (found.has(url.href)) return;
    found.add(url.href);
    const text = await Deno.readTextFile(url);
    for (const [, specifier] of text.matchAll(/^(?:import|export|\}) .*?"(\..+?)";$/gm)) {
      await visit(new URL(specifier, url));
    }
  };
  for (const entry of entries) await visit(entry);
  return found;
}
