/** What figures were measured on. */
export interface Machine {
  /** The model of its processor. */
  readonly cpu: string;
  /** How many processors this process may use. */
  readonly cores: number;
  /** The release of its kernel. */
  readonly kernel: string;
  /** The version of Deno. */
  readonly deno: string;
}

/** Describes the machine that this runs on. */
export async function describeMachine(): Promise<Machine> {
  // Deno reads nothing below /proc without all permissions.
  const { stdout } = await new Deno.Command("lscpu", { env: { LC_ALL: "C" } }).output();
  const cpu = /^Model name:\s*(.+)$/m.exec(new TextDecoder().decode(stdout))?.[1] ?? "unknown";
  const { hardwareConcurrency: cores } = navigator;
  return { cpu, cores, kernel: Deno.osRelease(), deno: Deno.version.deno };
}

/** Writes a machine in one line. */
export function machineLine({ cpu, cores, kernel, deno }: Machine): string {
  return `${cores} cores of ${cpu}, Linux ${kernel}, Deno ${deno}`;
}
