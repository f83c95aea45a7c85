/** Lets every read and commit of a database fail, for as long as a test wants. */
export function injectFaults(kv: Deno.Kv): { isFailing: boolean } {
  const faults = { isFailing: false };
  const check = () => {
    if (faults.isFailing) throw new TypeError("disk I/O error");
  };
  const atomic = kv.atomic.bind(kv);
  kv.atomic = () => {
    const operation = atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = async () => {
      check();
      return await commit();
    };
    return operation;
  };
  const get = kv.get.bind(kv);
  kv.get = async <T>(...[key, options]: Parameters<typeof get>) => {
    check();
    return await get<T>(key, options);
  };
  return faults;
}
