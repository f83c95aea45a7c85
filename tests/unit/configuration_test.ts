import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { type Configuration, readConfiguration, VARIABLES } from "@hubbub/hub/service";

function read(environment: Record<string, string> = {}): Configuration {
  return readConfiguration((name) => environment[name]);
}

const DEFAULTS: Configuration = {
  port: 8000,
  host: "127.0.0.1",
  kv: "hubbub.sqlite3",
  retentionMs: undefined,
  maxTextBytes: 4096,
  messagesPerSecond: 20,
  maxConnections: 20_000,
  maxConnectionsPerAddress: undefined,
  maxConnectionsPerRoom: 10_000,
  maxConnectionsPerUser: 100,
  tokens: undefined,
  origins: [],
  proxies: 0,
};

Deno.test("readConfiguration() has a default for everything", () => {
  assertEquals(read(), DEFAULTS);
});

Deno.test("readConfiguration() takes empty for not set", () => {
  const empty = Object.fromEntries(VARIABLES.map((name) => [name, "  "]));
  assertEquals(read({ ...empty, DENO_DEPLOYMENT_ID: "" }), DEFAULTS);
});

Deno.test("readConfiguration() reads every variable", () => {
  const environment = {
    PORT: "0",
    HOST: "::1",
    HUBBUB_KV: "/tmp/chat.sqlite3",
    HUBBUB_RETENTION_DAYS: "0.5",
    HUBBUB_MAX_TEXT_BYTES: "60000",
    HUBBUB_MESSAGES_PER_SECOND: "0.5",
    HUBBUB_MAX_CONNECTIONS: " 7 ",
    HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: "6",
    HUBBUB_MAX_CONNECTIONS_PER_ROOM: "5",
    HUBBUB_MAX_CONNECTIONS_PER_USER: "0",
    HUBBUB_JWT_SECRET: "0123456789abcdef0123456789abcdef",
    HUBBUB_JWKS_URL: "",
    HUBBUB_ORIGINS: "https://a.example, http://localhost:3000",
    HUBBUB_PROXIES: "1",
  };
  assertEquals(Object.keys(environment), [...VARIABLES]);
  assertEquals(read(environment), {
    port: 0,
    host: "::1",
    kv: "/tmp/chat.sqlite3",
    retentionMs: 43_200_000,
    maxTextBytes: 60_000,
    messagesPerSecond: 0.5,
    maxConnections: 7,
    maxConnectionsPerAddress: 6,
    maxConnectionsPerRoom: 5,
    maxConnectionsPerUser: 0,
    tokens: { secret: "0123456789abcdef0123456789abcdef" },
    origins: ["https://a.example", "http://localhost:3000"],
    proxies: 1,
  });
  const jwksUrl = "https://a.example/keys";
  assertEquals(read({ HUBBUB_JWKS_URL: jwksUrl }).tokens, { jwksUrl });
});

Deno.test("readConfiguration() uses the assigned database on Deno Deploy", () => {
  const deployed = read({ DENO_DEPLOYMENT_ID: "x" });
  assertEquals([deployed.kv, deployed.host], [undefined, "0.0.0.0"]);
  assertEquals(read({ DENO_DEPLOYMENT_ID: "x", HUBBUB_KV: ":memory:" }).kv, ":memory:");
});

const BAD: [string, string, string][] = [
  ["PORT", "65536", 'PORT must be a number from 0 to 65535, not "65536"'],
  ["PORT", "80.5", 'PORT must be a whole number from 0 to 65535, not "80.5"'],
  ["PORT", "http", 'PORT must be a number from 0 to 65535, not "http"'],
  ["PORT", "-1", 'PORT must be a number from 0 to 65535, not "-1"'],
  ["PORT", "1e3", 'PORT must be a number from 0 to 65535, not "1e3"'],
  ["PORT", "0x50", 'PORT must be a number from 0 to 65535, not "0x50"'],
  ["HUBBUB_RETENTION_DAYS", "for ever", "HUBBUB_RETENTION_DAYS must be a number"],
  ["HUBBUB_RETENTION_DAYS", "Infinity", "HUBBUB_RETENTION_DAYS must be a number"],
  ["HUBBUB_MAX_TEXT_BYTES", "0", "HUBBUB_MAX_TEXT_BYTES must be a number from 1 to 60000"],
  ["HUBBUB_MAX_TEXT_BYTES", "60001", "HUBBUB_MAX_TEXT_BYTES must be"],
  ["HUBBUB_MESSAGES_PER_SECOND", "-20", "HUBBUB_MESSAGES_PER_SECOND must be"],
  ["HUBBUB_MAX_CONNECTIONS", "0", "HUBBUB_MAX_CONNECTIONS must be"],
  ["HUBBUB_MAX_CONNECTIONS", "NaN", "HUBBUB_MAX_CONNECTIONS must be"],
];

Deno.test("readConfiguration() stops with one clear line", async (t) => {
  for (const [name, value, message] of BAD) {
    await t.step(`${name}=${value}`, () => {
      const error = assertThrows(() => read({ [name]: value }), RangeError, message);
      assertFalse(error.message.includes("\n"));
    });
  }
});
