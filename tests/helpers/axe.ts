import type { Page } from "playwright-core";

/** The rules of axe-core that look at colours. */
export const COLOUR_RULES: readonly string[] = ["color-contrast", "link-in-text-block"];

/**
 * What axe-core finds that keeps people out: its rules of WCAG 2.2 AA and its best practices.
 *
 * @param page The page.
 * @param where What it shows, for the answer.
 * @param rules The rules to try: all take seconds. @default {all}
 * @returns What was found.
 */
export async function barriers(
  page: Page,
  where: string,
  rules?: readonly string[],
): Promise<string[]> {
  if (!await page.evaluate(() => "axe" in globalThis)) {
    const { default: { source } } = await import("axe-core");
    // Through the debugger: the policy of the page lets no script in.
    await page.evaluate(source);
  }
  // What fades has too little contrast for a fifth of a second.
  await page.emulateMedia({ reducedMotion: "reduce" });
  const violations = await page.evaluate(async (values) => {
    // deno-lint-ignore no-explicit-any
    const { axe } = globalThis as any;
    const options = values === undefined ? {} : { runOnly: { type: "rule", values } };
    return (await axe.run(options)).violations;
  }, rules);
  // deno-lint-ignore no-explicit-any
  return violations.map(({ id, impact, nodes }: any) =>
    // deno-lint-ignore no-explicit-any
    `${where}: ${impact} ${id} ${nodes.map((node: any) => node.html).join(" ")}`
  );
}
