import { assertEquals } from "@std/assert";
import { StoreWatch } from "../../src/cluster/store_watch.ts";
import { eventually } from "../helpers/patience.ts";

/** A store whose watches do what a test wants. */
class FakeStore {
  readonly streams: ReadableStreamDefaultController<string>[] = [];
  cancelled = 0;
  /** What a new watch tells first. */
  newest: string | undefined = "0";

  watch(): ReadableStream<string> {
    let opened = false;
    return new ReadableStream<string>({
      start: (stream) => void this.streams.push(stream),
      pull: (stream) => {
        if (!opened && this.newest !== undefined) stream.enqueue(this.newest);
        opened = true;
      },
      cancel: () => void this.cancelled++,
    }, { highWaterMark: 0 });
  }
}

/** Watches a store, and writes down what is told. */
function watched(store: FakeStore, isNeeded = () => true) {
  const told: string[] = [];
  const watch = new StoreWatch({
    log: store,
    isNeeded,
    onNewest: (commit) => Promise.resolve(void told.push(commit)),
    onGap: () => void told.push("gap"),
    onFailure: (error) => void told.push(String(error)),
  });
  return { told, [Symbol.dispose]: () => watch.close() };
}

Deno.test("StoreWatch replaces a stream that has gone silent, and tells what it missed", async () => {
  const store = new FakeStore();
  using watch = watched(store);
  await eventually(() => watch.told.length === 2, "the first commit");
  store.newest = "1";
  await eventually(() => watch.told.includes("1"), "the commit that the stream did not tell");
  assertEquals(watch.told, ["gap", "0", "1"], "and that is no gap");
  await eventually(() => store.cancelled === 1, "the end of the silent one");
});

Deno.test("StoreWatch keeps a stream until the next one has told something", async () => {
  const store = new FakeStore();
  using watch = watched(store);
  await eventually(() => watch.told.length === 2, "the first commit");
  store.newest = undefined;
  await eventually(() => store.streams.length === 2, "another stream");
  store.streams[0].enqueue("1");
  await eventually(() => watch.told.includes("1"), "what the old one tells");
  assertEquals(store.cancelled, 0);
  store.streams[1].enqueue("2");
  await eventually(() => watch.told.includes("2"), "what the new one tells");
  await eventually(() => store.cancelled === 1, "the end of the old one");
  assertEquals(store.streams.length, 2);
});

Deno.test("StoreWatch begins anew behind a gap where a stream fails or ends", async () => {
  const store = new FakeStore();
  using watch = watched(store, () => false);
  await eventually(() => watch.told.length === 2, "the first commit");
  store.streams[0].error(new Error("lost"));
  await eventually(() => watch.told.length === 5, "another stream");
  store.streams[1].close();
  await eventually(() => watch.told.length === 7, "a third stream");
  assertEquals(watch.told, ["gap", "0", "Error: lost", "gap", "0", "gap", "0"]);
});

Deno.test("StoreWatch leaves a silent stream alone where nobody needs it", async () => {
  const store = new FakeStore();
  let asked = 0;
  using watch = watched(store, () => {
    asked++;
    return false;
  });
  await eventually(() => asked === 2, "two seconds");
  assertEquals([watch.told, store.streams.length], [["gap", "0"], 1]);
});

Deno.test("StoreWatch fails where the stream fails that is to replace another", async () => {
  const store = new FakeStore();
  using watch = watched(store);
  await eventually(() => watch.told.length === 2, "the first commit");
  store.newest = undefined;
  await eventually(() => store.streams.length === 2, "another stream");
  store.newest = "1";
  store.streams[1].error(new Error("no answer"));
  await eventually(() => watch.told.includes("1"), "a third stream");
  assertEquals(watch.told, ["gap", "0", "Error: no answer", "gap", "1"]);
});
