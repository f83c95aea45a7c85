import type { Page } from "playwright-core";

/** What axe-core finds that keeps people out: its rules of WCAG 2.2 AA and its best practices. */
export async function barriers(page: Page, where: string): Promise<string[]> {
  const { default: { source } } = await import("axe-core");
  // Through the debugger: the policy of the page lets no script in.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const { axe } = globalThis as any;
    return (await axe.run()).violations;
  });
  // deno-lint-ignore no-explicit-any
  return violations.map(({ id, impact, nodes }: any) =>
    // deno-lint-ignore no-explicit-any
    `${where}: ${impact} ${id} ${nodes.map((node: any) => node.html).join(" ")}`
  );
}
