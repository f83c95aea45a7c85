import { Shell } from "./shell.ts";

/** Whether this machine lets its user make network namespaces; a file asks before its tests. */
export async function hasNetworkNamespaces(): Promise<boolean> {
  const run = await Deno.permissions.query({ name: "run", command: "sh" });
  if (run.state !== "granted") return false;
  const name = `hubbub-${crypto.randomUUID().slice(0, 6)}`;
  const command = `ip netns add ${name} && ip netns exec ${name} true && ip netns del ${name}`;
  const { success } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  if (!success) console.warn("The test of a cut link is ignored: no network namespaces here");
  return success;
}

/** A network namespace beside this one, with links that can be cut. */
export class NetworkNamespace implements AsyncDisposable {
  /** Its name. */
  readonly name = `hubbub-${crypto.randomUUID().slice(0, 6)}`;
  readonly #subnet = Math.floor(Math.random() * 200);
  #links = 0;

  private constructor() {}

  /** Makes one. */
  static async create(): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace();
    await Shell.run(`ip netns add ${namespace.name}`);
    await namespace.#run("link set lo up");
    return namespace;
  }

  /** Makes a link to it. */
  async link(): Promise<NetworkLink> {
    const number = ++this.#links;
    const [here, there] = [1, 2].map((end) => `hb${this.name.slice(-6)}${number}${end}`);
    const network = `10.${98 + number}.${this.#subnet}`;
    await Shell.run(`ip link add ${here} type veth peer name ${there} netns ${this.name}`);
    await Shell.run(`ip addr add ${network}.1/24 dev ${here}`);
    await Shell.run(`ip link set ${here} up`);
    await this.#run(`addr add ${network}.2/24 dev ${there}`);
    await this.#run(`link set ${there} up`);
    return {
      address: `${network}.2`,
      cut: () => this.#run(`link set ${there} down`),
      mend: () => this.#run(`link set ${there} up`),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Shell.run(`ip netns del ${this.name}`);
  }

  async #run(command: string): Promise<void> {
    await Shell.run(`ip -n ${this.name} ${command}`);
  }
}

/** A link between this namespace and another one. */
export interface NetworkLink {
  /** The address of the other end. */
  readonly address: string;
  /** Cuts it: what is sent is lost, without an answer. */
  cut(): Promise<void>;
  /** Makes it whole again. */
  mend(): Promise<void>;
}
