import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type MetricsSnapshot, renderMetrics } from "@hubbub/hub";
import { injectFaults } from "../helpers/kv_faults.ts";
import { parseExposition } from "../helpers/exposition.ts";
import { needs } from "../helpers/permissions.ts";
import { say } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve, serveAlone, type TestServer } from "../helpers/test_server.ts";

/** The values in a text of Prometheus, by series. */
function read(text: string): Map<string, number> {
  const families = parseExposition(text);
  return new Map(families.flatMap(({ samples }) => [...samples]));
}

async function scrape(running: TestServer): Promise<Map<string, number>> {
  const response = await fetch(`${running.url}/metrics`);
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return read(await response.text());
}

Deno.test("GET /metrics tells what happened", needs("net"), async () => {
  await using running = await serveAlone();
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  await using bob = await TestClient.join(running.url, "/rooms/lobby/ws?user=bob");
  for (const text of ["1", "2", "3"]) await ann.store(text);
  bob.socket.send("no JSON");
  await bob.first("error");
  const values = await scrape(running);
  const expected = {
    hubbub_messages_received_total: 3,
    hubbub_messages_stored_total: 3,
    hubbub_messages_delivered_total: 6,
    hubbub_connections: 2,
    hubbub_rooms: 1,
    'hubbub_rejected_total{code="bad_frame"}': 1,
    hubbub_commit_duration_seconds_count: 3,
    hubbub_commit_messages_sum: 3,
    'hubbub_commit_messages_bucket{le="1"}': 3,
    'hubbub_commit_messages_bucket{le="+Inf"}': 3,
    'hubbub_kv_failures_total{operation="commit"}': 0,
  };
  for (const [name, value] of Object.entries(expected)) assertEquals(values.get(name), value, name);
  assert(values.get("hubbub_commit_duration_seconds_sum")! > 0);
  assert(values.get("process_resident_memory_bytes")! > 1_000_000);
});

Deno.test("GET /metrics tells why members went", needs("net"), async () => {
  await using running = await serveAlone();
  const ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  const bob = await TestClient.join(running.url, "/rooms/lobby/ws?user=bob");
  ann.socket.close();
  bob.socket.send(" ".repeat(100_000));
  assertEquals((await bob.closed).code, 1009);
  await ann.closed;
  while (running.hub.metrics.connections > 0) await new Promise((resolve) => setTimeout(resolve));
  const values = await scrape(running);
  assertEquals(values.get('hubbub_members_closed_total{reason="left"}'), 1);
  assertEquals(values.get('hubbub_members_closed_total{reason="tooBig"}'), 1);
  assertEquals(values.get("hubbub_connections"), 0);
  assertEquals(values.get("hubbub_connections_closing"), 0);
});

Deno.test("GET /metrics counts failures of the database", needs("net"), async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  await using running = serve(kv);
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  const fail = () => Promise.reject(new TypeError("disk I/O error"));
  [faults.commit, faults.read] = [fail, fail];
  ann.say("lost", "r");
  assertEquals((await ann.first("error")).code, "not_stored");
  const health = await fetch(`${running.url}/health`);
  await health.body?.cancel();
  assertEquals(health.status, 503);
  const values = await scrape(running);
  assertEquals(values.get('hubbub_kv_failures_total{operation="commit"}'), 1);
  assertEquals(values.get('hubbub_kv_failures_total{operation="health"}'), 1);
  assertEquals(values.get("hubbub_messages_not_stored_total"), 1);
  [faults.commit, faults.read] = [undefined, undefined];
  await ann.store("kept");
});

Deno.test("renderMetrics() adds up what several isolates counted", () => {
  const snapshot = (stored: number, residentBytes: number): MetricsSnapshot => [
    {
      name: "stored_total",
      help: "Stored",
      type: "counter",
      aggregator: "sum",
      values: [{ value: stored, labels: {} }],
    },
    {
      name: "resident_bytes",
      help: "Memory",
      type: "gauge",
      aggregator: "max",
      values: [{ value: residentBytes, labels: {} }],
    },
  ];
  const values = read(renderMetrics([snapshot(1, 10), snapshot(2, 30), snapshot(4, 20)]));
  assertEquals(Object.fromEntries(values), { stored_total: 7, resident_bytes: 30 });
});

Deno.test("GET /metrics adds what the other isolates counted", needs("net"), async () => {
  await using other = await serveAlone();
  await using running = await serveAlone({
    otherMetrics: () => Promise.resolve([structuredClone(other.server.snapshot())]),
  });
  await using ann = await TestClient.join(other.url, "/rooms/lobby/ws?user=ann");
  await using bob = await TestClient.join(running.url, "/rooms/lobby/ws?user=bob");
  await ann.store("here");
  await bob.store("there");
  const values = await scrape(running);
  assertEquals(values.get("hubbub_messages_stored_total"), 2);
  assertEquals(values.get("hubbub_connections"), 2);
  assertEquals(values.get("hubbub_commit_duration_seconds_count"), 2);
});

Deno.test("GET /metrics leaves out others that fail, or hang", needs("net"), async () => {
  const answers = [
    () => Promise.reject(new Error("no answer")),
    () => new Promise<never>(() => {}),
  ];
  for (const otherMetrics of answers) {
    await using running = await serveAlone({ otherMetrics });
    await (await say(running.url, { user: "ann", text: "here" })).body?.cancel();
    const values = await scrape(running);
    assertEquals(values.get("hubbub_messages_stored_total"), 1);
    assertEquals(running.hub.metrics.hookFailures, 1);
    assertEquals(running.events.map(({ event }) => event), ["other_metrics_failed"]);
  }
});

Deno.test("renderMetrics() escapes what labels and help may hold", () => {
  const awkward = 'a "quoted" \\ back\nline';
  const snapshot: MetricsSnapshot = [{
    name: "odd_total",
    help: "A \\ and\na line",
    type: "counter",
    aggregator: "sum",
    values: [
      { value: 1e21, labels: { what: awkward } },
      { value: 0.1 + 0.2, labels: { what: "plain", of: 7 } },
    ],
  }];
  const text = renderMetrics([snapshot]);
  assertEquals(text.split("\n").length, 5, text);
  const [{ help, samples }] = parseExposition(text);
  assertEquals(help, "A \\ and\na line");
  assertEquals([...samples.values()], [1e21, 0.1 + 0.2]);
  assert(text.includes('{what="a \\"quoted\\" \\\\ back\\nline"}'), text);
});

Deno.test("parseExposition() refuses what Prometheus would", () => {
  const good = "# HELP a A\n# TYPE a counter\na 1\n";
  assertEquals(parseExposition(good)[0].samples.get("a"), 1);
  for (
    const [bad, message] of [
      ["# HELP a A\n# TYPE a counter\na 1", "ends without"],
      ["# TYPE a counter\na 1\n# HELP b B\n# TYPE b gauge\nb 1\na 2\n", "not together"],
      [good + "a 2\n", "twice"],
      [good + "a{le=0.1} 2\n", "no sample"],
      [good + 'a{b="c} 2\n', "no sample"],
      [good + 'a{1b="c"} 2\n', "no sample"],
      [good + "a{} one\n", "no number"],
      [good + "\n", "empty"],
      [
        '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
        "shrinks",
      ],
      ['# TYPE h histogram\nh_bucket{le="1"} 2\nh_sum 1\nh_count 2\n', "+Inf"],
    ]
  ) {
    assertThrows(() => parseExposition(bad), Error, message);
  }
});

Deno.test("every metric is documented, and no other", needs("net", "read"), async () => {
  await using running = await serveAlone();
  const families = parseExposition(await (await fetch(`${running.url}/metrics`)).text());
  const text = await Deno.readTextFile(new URL("../../docs/deploying.md", import.meta.url));
  const documented = [...text.matchAll(/^\| `((?:hubbub|process)_\w+)/gm)].map(([, name]) => name);
  assertEquals(documented.toSorted(), families.map(({ name }) => name).toSorted());
});
