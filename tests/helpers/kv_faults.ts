type Commit = () => Promise<Deno.KvCommitResult | Deno.KvCommitError>;

/** What may go wrong with a database; each may be set and taken away at any time. */
export interface KvFaults {
  /** Runs in place of a commit. */
  commit?: (commit: Commit) => ReturnType<Commit>;
  /** Runs before each read of a key, and before each step of a listing. */
  read?: () => Promise<void> | void;
}

/** Lets things go wrong with a database. */
export function injectFaults(kv: Deno.Kv): KvFaults {
  const faults: KvFaults = {};
  const atomic = kv.atomic.bind(kv);
  kv.atomic = () => {
    const operation = atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = async () => await (faults.commit ? faults.commit(commit) : commit());
    return operation;
  };
  const get = kv.get.bind(kv);
  kv.get = async <T>(...[key, options]: Parameters<typeof get>) => {
    await faults.read?.();
    return await get<T>(key, options);
  };
  const list = kv.list.bind(kv);
  kv.list = <T>(...[selector, options]: Parameters<typeof list>) => {
    const listed = list<T>(selector, options);
    const next = listed.next.bind(listed);
    listed.next = async () => {
      await faults.read?.();
      return await next();
    };
    return listed;
  };
  return faults;
}

/** Fails the next commit, as if the disk were full; nothing is written. */
export function failOnce(faults: KvFaults, error: Error = new Error("disk full")): void {
  faults.commit = () => {
    faults.commit = undefined;
    return Promise.reject(error);
  };
}

/** Writes the next commit and fails all the same, as if the answer of a remote KV got lost. */
export function loseAnswerOnce(faults: KvFaults): void {
  faults.commit = async (commit) => {
    faults.commit = undefined;
    await commit();
    throw new Error("connection lost");
  };
}

/** A commit that is held back. */
export interface HeldCommit {
  /** Resolves when it has come. */
  readonly reached: Promise<void>;
  /** Lets it through. */
  readonly release: () => void;
}

/** Holds the next commit back until it is released. */
export function holdOnce(faults: KvFaults): HeldCommit {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  faults.commit = async (commit) => {
    faults.commit = undefined;
    reached.resolve();
    await released.promise;
    return await commit();
  };
  return { reached: reached.promise, release: released.resolve };
}
