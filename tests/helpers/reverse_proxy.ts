import { Shell } from "./shell.ts";

/** Milliseconds that a proxy has to listen. */
const PATIENCE_MS = 20_000;
/** Milliseconds between two tries to reach it. */
const TRY_MS = 25;

/** How a {@linkcode ReverseProxy} is started. */
export interface ReverseProxyOptions {
  /** A folder of its own. */
  readonly folder: string;
  /** Its configuration file. */
  readonly configuration: string;
  /** Ports at which it listens when it has started. */
  readonly ports: readonly number[];
}

/** A real nginx or Caddy in a process of its own. */
export class ReverseProxy implements AsyncDisposable {
  readonly #shell: Shell;

  private constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Starts nginx in the foreground. */
  static async nginx({ folder, configuration, ports }: ReverseProxyOptions): Promise<ReverseProxy> {
    const path = `${folder}/nginx.conf`;
    await Deno.writeTextFile(path, configuration);
    return await ReverseProxy.#start(`nginx -p ${folder} -e stderr -c ${path}`, folder, ports);
  }

  /** Starts Caddy in the foreground. */
  static async caddy({ folder, configuration, ports }: ReverseProxyOptions): Promise<ReverseProxy> {
    const path = `${folder}/Caddyfile`;
    await Deno.writeTextFile(path, configuration);
    return await ReverseProxy.#start(`caddy run --config ${path}`, folder, ports);
  }

  /** What it wrote. */
  get output(): string {
    return this.#shell.output;
  }

  static async #start(line: string, folder: string, ports: readonly number[]) {
    const shell = new Shell(line, { env: { HOME: folder }, folder });
    try {
      for (const port of ports) await untilListening(port, shell);
    } catch (error) {
      await shell[Symbol.asyncDispose]();
      throw error;
    }
    return new ReverseProxy(shell);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
  }
}

/** Finds ports of this machine that are free now. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => {
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  });
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

async function untilListening(port: number, shell: Shell): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (cause) {
      if (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, TRY_MS));
      else throw new Error(`The proxy does not listen at ${port}:\n${shell.output}`, { cause });
    }
  }
}
