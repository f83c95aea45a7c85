import { type Fanout, type HubOptions, KvRoomLog } from "@hubbub/hub";
import type { ClusterMessage } from "../../src/cluster/cluster_message.ts";
import { FaultyChannel } from "./faulty_fanout.ts";
import { within } from "./patience.ts";
import { Random } from "./random.ts";
import { createTestHub, type TestHub } from "./test_hub.ts";

/** Several hubs over one database, as the isolates of a process are; each is a {@linkcode TestHub}. */
export class TestIsolates implements AsyncDisposable {
  readonly kv: Deno.Kv;
  /** The logs in it, for the test's own eyes. */
  readonly logs: KvRoomLog;
  /** Whatever was published, also what was lost. */
  readonly packets: ClusterMessage[] = [];
  /** Decides what gets lost between the hubs; may be changed at any time. */
  loses: (message: ClusterMessage) => boolean = () => false;
  readonly #channel = new FaultyChannel(
    { drop: 0, repeat: 0, delay: 0, delayMaxMs: 0 },
    new Random(1),
  );
  readonly #hubs: TestHub[] = [];

  private constructor(kv: Deno.Kv) {
    this.kv = kv;
    this.logs = new KvRoomLog(kv);
  }

  /** Opens a database in memory. */
  static async open(): Promise<TestIsolates> {
    return new TestIsolates(await Deno.openKv(":memory:"));
  }

  /** Starts one more hub, connected to the others. */
  start(options: HubOptions = {}): TestHub {
    const hub = createTestHub(this.kv, { fanout: this.connect(), ...options });
    this.#hubs.push(hub);
    return hub;
  }

  /** Starts a few hubs. */
  startAll(count: number, options: HubOptions = {}): TestHub[] {
    return Array.from({ length: count }, () => this.start(options));
  }

  /** The packets of one kind that were published so far. */
  of<K extends ClusterMessage["kind"]>(kind: K): Extract<ClusterMessage, { kind: K }>[] {
    return this.packets.filter((message) => message.kind === kind) as Extract<
      ClusterMessage,
      { kind: K }
    >[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await within(Promise.all(this.#hubs.map(({ hub }) => hub.drain())), "the hubs to drain");
    this.#channel.close();
    this.kv.close();
  }

  /** Makes one more end of the fan-out. */
  connect(): Fanout {
    const fanout = this.#channel.connect();
    return {
      publish: (message) => {
        this.packets.push(message as ClusterMessage);
        if (!this.loses(message as ClusterMessage)) fanout.publish(message);
      },
      subscribe: (listener, hub) => fanout.subscribe(listener, hub),
      close: () => fanout.close(),
    };
  }
}

/** Resolves after so many milliseconds, for where time is the subject. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
