import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { type Configuration, readConfiguration, urlOf, VARIABLES } from "@hubbub/hub/service";
import { needs } from "../helpers/permissions.ts";

function read(environment: Record<string, string> = {}): Configuration {
  return readConfiguration((name) => environment[name]);
}

const DEFAULTS: Configuration = {
  port: 8000,
  host: "127.0.0.1",
  kv: "hubbub.sqlite3",
  postgres: undefined,
  postgresListen: undefined,
  nats: undefined,
  retentionMs: undefined,
  maxTextBytes: 4096,
  messagesPerSecond: 20,
  moderationTimeoutMs: 5_000,
  moderationLate: "refuse",
  authorizeTimeoutMs: 10_000,
  maxConnections: 20_000,
  maxConnectionsPerAddress: undefined,
  maxConnectionsPerRoom: 10_000,
  maxConnectionsPerUser: 100,
  maxRoomsPerConnection: 200,
  maxRoomsPerAddress: undefined,
  requestsPerSecondPerAddress: undefined,
  tokens: undefined,
  adminToken: undefined,
  adminMetrics: false,
  hosts: [],
  origins: [],
  proxies: 0,
  basePath: "",
};

Deno.test("readConfiguration() has a default for everything", () => {
  assertEquals(read(), DEFAULTS);
});

Deno.test("readConfiguration() takes no variable that is set but empty", () => {
  for (const name of VARIABLES) {
    for (const value of ["", " ", "\t\n"]) {
      const message = `${name} is set, but empty`;
      assertThrows(() => read({ HUBBUB_OPEN: "1", [name]: value }), RangeError, message);
    }
  }
  assertEquals(read({ DENO_DEPLOYMENT_ID: "" }), DEFAULTS);
});

// Names are asked for only where variables may be read.
Deno.test("readConfiguration() takes no misspelt variable", needs("env"), () => {
  const misspelt = {
    HUBBUB_JWT_SECERT: "HUBBUB_JWT_SECRET",
    HUBBUB_JWT_SECRETS: "HUBBUB_JWT_SECRET",
    HUBBUB_JWT_SECRE: "HUBBUB_JWT_SECRET",
    HUBBUB_JWTSECRET: "HUBBUB_JWT_SECRET",
    HUBBUB_JWT__SECRET: "HUBBUB_JWT_SECRET",
    HUBBUB_JWT_SEKRET: "HUBBUB_JWT_SECRET",
    HUBBUB_JWK_URL: "HUBBUB_JWKS_URL",
    HUBBUB_ORIGIN: "HUBBUB_ORIGINS",
    HUBBUB_HOST: "HUBBUB_HOSTS",
    HUBBUB_VK: "HUBBUB_KV",
    HUBBUB_PROXYES: "HUBBUB_PROXIES",
    HUBUB_JWT_SECRET: "HUBBUB_JWT_SECRET",
    HUBBUB_RETENTION_DAY: "HUBBUB_RETENTION_DAYS",
  };
  for (const [near, name] of Object.entries(misspelt)) {
    for (const value of ["secret", ""]) {
      const error = assertThrows(() => read({ [near]: value }), RangeError);
      assertEquals(
        error.message,
        `${near} is set, which means nothing: it should probably be ${name}`,
      );
    }
  }
});

Deno.test("readConfiguration() does not judge names that are not its own", () => {
  const others = {
    // What Kubernetes sets for a service named "hubbub".
    HUBBUB_SERVICE_HOST: "10.0.0.1",
    HUBBUB_SERVICE_PORT: "8000",
    HUBBUB_PORT: "tcp://10.0.0.1:8000",
    HUBBUB_PORT_8000_TCP: "tcp://10.0.0.1:8000",
    HUBBUB_PORT_8000_TCP_ADDR: "10.0.0.1",
    HUBBUB_SERVICE_PORT_HTTP: "8000",
    HUBBUB_JWT: "",
    HOSTNAME: "laptop",
    PATH: "",
  };
  assertEquals(read(others), DEFAULTS);
});

Deno.test("readConfiguration() reads every variable", () => {
  const environment = {
    PORT: "0",
    HOST: "[::1]",
    HUBBUB_KV: "/tmp/chat.sqlite3",
    HUBBUB_RETENTION_DAYS: "0.5",
    HUBBUB_MAX_TEXT_BYTES: "60000",
    HUBBUB_MESSAGES_PER_SECOND: "0.5",
    HUBBUB_MAX_CONNECTIONS: " 7 ",
    HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: "6",
    HUBBUB_MAX_CONNECTIONS_PER_ROOM: "5",
    HUBBUB_MAX_CONNECTIONS_PER_USER: "0",
    HUBBUB_MAX_ROOMS_PER_CONNECTION: "3",
    HUBBUB_MAX_ROOMS_PER_ADDRESS: "4",
    HUBBUB_REQUESTS_PER_SECOND_PER_ADDRESS: "0.5",
    HUBBUB_MODERATION_TIMEOUT_MS: "800",
    HUBBUB_MODERATION_LATE: "accept",
    HUBBUB_AUTHORIZE_TIMEOUT_MS: "900",
    HUBBUB_OPEN: "0",
    HUBBUB_JWT_SECRET: " 123456789abcdef0123456789abcdef ",
    HUBBUB_JWT_AUDIENCE: "chat, other",
    HUBBUB_JWT_ISSUER: "https://a.example",
    HUBBUB_ADMIN_TOKEN: "0123456789abcdef0123456789abcdef",
    HUBBUB_METRICS: "admin",
    HUBBUB_HOSTS: "Chat.example,*.b.example",
    HUBBUB_ORIGINS: "https://a.example, http://localhost:3000",
    HUBBUB_PROXIES: "1",
    HUBBUB_BASE_PATH: "/chat",
  };
  const machines = ["HUBBUB_POSTGRES", "HUBBUB_POSTGRES_LISTEN", "HUBBUB_NATS"];
  const names = [...Object.keys(environment), "HUBBUB_JWKS_URL", ...machines].toSorted();
  assertEquals(names, [...VARIABLES].toSorted());
  assertEquals(read(environment), {
    port: 0,
    host: "::1",
    kv: "/tmp/chat.sqlite3",
    postgres: undefined,
    postgresListen: undefined,
    nats: undefined,
    retentionMs: 43_200_000,
    maxTextBytes: 60_000,
    messagesPerSecond: 0.5,
    moderationTimeoutMs: 800,
    moderationLate: "accept",
    authorizeTimeoutMs: 900,
    maxConnections: 7,
    maxConnectionsPerAddress: 6,
    maxConnectionsPerRoom: 5,
    maxConnectionsPerUser: 0,
    maxRoomsPerConnection: 3,
    maxRoomsPerAddress: 4,
    requestsPerSecondPerAddress: 0.5,
    tokens: {
      // To the letter, as whoever signs has it.
      secret: " 123456789abcdef0123456789abcdef ",
      audience: ["chat", "other"],
      issuer: ["https://a.example"],
    },
    adminToken: "0123456789abcdef0123456789abcdef",
    adminMetrics: true,
    hosts: ["chat.example", "*.b.example"],
    origins: ["https://a.example", "http://localhost:3000"],
    proxies: 1,
    basePath: "/chat",
  });
  const jwksUrl = "https://a.example/keys";
  const published = read({ HUBBUB_JWKS_URL: jwksUrl, HUBBUB_JWT_AUDIENCE: "chat" }).tokens;
  assertEquals(published, { jwksUrl, audience: ["chat"], issuer: undefined });
});

Deno.test("readConfiguration() uses the assigned database on Deno Deploy", () => {
  const deployment = { DENO_DEPLOYMENT_ID: "x", HUBBUB_OPEN: "1" };
  const deployed = read(deployment);
  assertEquals([deployed.kv, deployed.host], [undefined, "0.0.0.0"]);
  assertEquals(read({ ...deployment, HUBBUB_KV: ":memory:" }).kv, ":memory:");
});

const BAD: [string, string, string][] = [
  ["HUBBUB_ADMIN_TOKEN", "x".repeat(31), "HUBBUB_ADMIN_TOKEN must have 32 characters or more"],
  ["HUBBUB_ADMIN_TOKEN", "x y".repeat(20), "HUBBUB_ADMIN_TOKEN must have 32 characters or more"],
  ["HUBBUB_METRICS", "closed", 'HUBBUB_METRICS must be "open" or "admin"'],
  ["HUBBUB_METRICS", "admin", "HUBBUB_ADMIN_TOKEN is not set"],
  ["HUBBUB_MODERATION_LATE", "drop", 'must be "refuse" or "accept"'],
  ["HUBBUB_MODERATION_TIMEOUT_MS", "0", "from 1 to 60000"],
  ["HUBBUB_AUTHORIZE_TIMEOUT_MS", "60001", "from 1 to 60000"],
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
  ["HUBBUB_OPEN", "yes", 'HUBBUB_OPEN must be 1 for yes or 0 for no, not "yes"'],
  ["HUBBUB_JWT_SECRET", "x".repeat(31), "HUBBUB_JWT_SECRET must have 32 bytes or more, not 31"],
  ["HUBBUB_JWT_AUDIENCE", "chat", "HUBBUB_JWT_AUDIENCE is set, but neither"],
  ["HUBBUB_JWT_ISSUER", "a", "HUBBUB_JWT_ISSUER is set, but neither"],
  ["HUBBUB_ORIGINS", ",", "HUBBUB_ORIGINS holds nothing but commas"],
  ["HUBBUB_BASE_PATH", "chat/", "HUBBUB_BASE_PATH must be a path"],
  ["HUBBUB_HOSTS", "*", "HUBBUB_HOSTS must hold names"],
  ["HUBBUB_HOSTS", "https://chat.example", "HUBBUB_HOSTS must hold names"],
  ["HUBBUB_HOSTS", "chat.example:443", "HUBBUB_HOSTS must hold names"],
  ["HUBBUB_HOSTS", "chat.example/chat", "HUBBUB_HOSTS must hold names"],
  ["HUBBUB_HOSTS", "*.1.2.3.4", "HUBBUB_HOSTS must hold names"],
  ["HUBBUB_HOSTS", "a*.example", "HUBBUB_HOSTS must hold names"],
];

Deno.test("readConfiguration() stops with one clear line", async (t) => {
  for (const [name, value, message] of BAD) {
    await t.step(`${name}=${value}`, () => {
      const error = assertThrows(() => read({ [name]: value }), RangeError, message);
      assertFalse(error.message.includes("\n"));
    });
  }
});

const SECRET = "0123456789abcdef0123456789abcdef";

Deno.test("readConfiguration() opens a hub to other machines only where somebody says so", () => {
  for (const host of ["0.0.0.0", "::", "[::]", "192.0.2.1", "chat.example", "localhost.example"]) {
    const expected = `HOST is "${host.replace(/[[\]]/g, "")}", which others can reach: set HUBBUB_`;
    assertThrows(() => read({ HOST: host }), RangeError, expected);
    assertThrows(() => read({ HOST: host, HUBBUB_OPEN: "0" }), RangeError, expected);
    // Whoever says who may come in, or that everybody may, may be reached under any name.
    assertEquals(read({ HOST: host, HUBBUB_OPEN: "1" }).hosts, undefined);
    assertEquals(read({ HOST: host, HUBBUB_JWT_SECRET: SECRET }).hosts, undefined);
    const jwksUrl = "https://a.example/keys";
    assertEquals(read({ HOST: host, HUBBUB_JWKS_URL: jwksUrl }).hosts, undefined);
    const guarded = read({ HOST: host, HUBBUB_OPEN: "1", HUBBUB_HOSTS: "chat.example" });
    assertEquals(guarded.hosts, ["chat.example"]);
  }
  for (const host of ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "127.8.8.8"]) {
    assertEquals(read({ HOST: host }).hosts, []);
  }
  assertThrows(() => read({ DENO_DEPLOYMENT_ID: "x" }), RangeError, 'HOST is "0.0.0.0"');
  // Deno listens there, whatever HOST says.
  for (const address of ["tcp:0.0.0.0:8000", "tcp:[::]:8000", "tcp:192.0.2.1:0,duplicate"]) {
    const elsewhere = { HOST: "127.0.0.1", DENO_SERVE_ADDRESS: address };
    assertThrows(() => read(elsewhere), RangeError, "which others can reach");
  }
  assertEquals(read({ DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" }).hosts, []);
  const both = { HUBBUB_OPEN: "1", HUBBUB_JWT_SECRET: SECRET };
  assertThrows(() => read(both), RangeError, "only one can be");
});

Deno.test("urlOf() writes an address as a person types it", () => {
  assertEquals(urlOf({ hostname: "::1", port: 8000 }), "http://[::1]:8000/");
  assertEquals(urlOf({ hostname: "127.0.0.1", port: 80 }), "http://127.0.0.1:80/");
});

Deno.test("readConfiguration() reads where machines meet, and shows no password", () => {
  const postgres = "postgres://me:s3cret@a.example,b.example:5433/chat?sslmode=require";
  const nats = "nats://me:s3cret@c.example, d.example:4223";
  const { kv, ...read1 } = read({ HUBBUB_POSTGRES: ` ${postgres} `, HUBBUB_NATS: nats });
  assertEquals([kv, read1.postgres, read1.nats], [undefined, postgres, nats]);
  const listen = { HUBBUB_POSTGRES: postgres, HUBBUB_POSTGRES_LISTEN: "postgresql://e.example" };
  assertEquals(read(listen).postgresListen, "postgresql://e.example");
  assertEquals(read({ HUBBUB_KV: "https://kv.example", HUBBUB_NATS: nats }).nats, nats);
  const wrong: [Record<string, string>, string][] = [
    [{ HUBBUB_POSTGRES: "me:s3cret@a.example" }, "HUBBUB_POSTGRES must be like"],
    [{ HUBBUB_POSTGRES: "postgres://" }, "HUBBUB_POSTGRES must be like"],
    [
      { HUBBUB_POSTGRES: postgres, HUBBUB_POSTGRES_LISTEN: "s3cret" },
      "HUBBUB_POSTGRES_LISTEN must",
    ],
    [{ HUBBUB_POSTGRES: postgres, HUBBUB_KV: "chat.sqlite3" }, "only one can be"],
    [{ HUBBUB_POSTGRES_LISTEN: postgres }, "HUBBUB_POSTGRES is not"],
    [{ HUBBUB_NATS: nats }, "belongs to this process"],
    [{ HUBBUB_NATS: nats, HUBBUB_KV: ":memory:" }, "belongs to this process"],
    [{ HUBBUB_NATS: "http://me:s3cret@x", HUBBUB_POSTGRES: postgres }, "HUBBUB_NATS: Cannot use"],
  ];
  for (const [environment, message] of wrong) {
    const error = assertThrows(() => read(environment), RangeError, message);
    assertFalse(error.message.includes("s3cret") || error.message.includes("\n"), error.message);
  }
});
