// How long a message takes in one room while 200 connections toggle their typing in another: for
// each of the subprotocols, beside a control without the storm.
//
// deno run -A tests/bench/typing_storm.ts [folder of the server]

const SOCKETS = 200;
const TOGGLES_PER_SECOND = 9.5;
const SECONDS = 10;
const PING_MS = 50;
const WARM_UP_MS = 3_000;

const folder = Deno.args[0] ?? new URL("../..", import.meta.url).pathname;

async function startServer(): Promise<{ child: Deno.ChildProcess; url: string; kv: string }> {
  const kv = await Deno.makeTempFile({ suffix: ".sqlite3" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-kv", "--unstable-net", "main.ts"],
    cwd: folder,
    env: {
      PORT: "0",
      HOST: "127.0.0.1",
      HUBBUB_KV: kv,
      HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: "0",
      HUBBUB_MESSAGES_PER_SECOND: "0",
      HUBBUB_OPEN: "1",
    },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream());
  let text = "";
  for await (const chunk of lines.values({ preventCancel: true })) {
    text += chunk;
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port) return { child, url: `ws://127.0.0.1:${port}`, kv };
  }
  throw new Error(`The server did not start: ${text}`);
}

async function open(url: string, room: string, user: string, protocol?: string) {
  const socket = new WebSocket(`${url}/rooms/${room}/ws?user=${user}&history=0`, protocol ?? []);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  socket.onclose = () => {
    throw new Error(`${user} was disconnected`);
  };
  return socket;
}

async function measure(url: string, round: string, storm?: string): Promise<string> {
  const sockets: WebSocket[] = [];
  let received = 0;
  if (storm !== undefined) {
    for (let i = 0; i < SOCKETS; i++) {
      const socket = await open(url, `storm-${round}`, `typist-${i}`, storm);
      socket.onmessage = ({ data }) => void (received += data.length);
      sockets.push(socket);
    }
  }
  const timers = sockets.map((socket, i) => {
    let status = false;
    return setInterval(() => {
      status = !status;
      socket.send(JSON.stringify({ type: "typing_status", payload: { status } }));
    }, 1_000 / TOGGLES_PER_SECOND + i / SOCKETS);
  });
  // What 200 arrivals tell each other is not the subject.
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  received = 0;
  const cpu = cpuSeconds();
  const ann = await open(url, `calm-${round}`, "ann");
  const bob = await open(url, `calm-${round}`, "bob");
  const sentAt = new Map<string, number>();
  const took: number[] = [];
  bob.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(data);
    if (type === "chat_message") took.push(performance.now() - sentAt.get(payload.text)!);
  };
  for (let i = 0; i < SECONDS * 1_000 / PING_MS; i++) {
    sentAt.set(`${i}`, performance.now());
    ann.send(JSON.stringify({ type: "chat_message", payload: { text: `${i}` } }));
    await new Promise((resolve) => setTimeout(resolve, PING_MS));
  }
  const missing = sentAt.size - took.length;
  for (const timer of timers) clearInterval(timer);
  for (const socket of [...sockets, ann, bob]) {
    socket.onclose = null;
    socket.close();
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => (took[Math.floor(share * took.length)] ?? NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(0.999)} ms, not there in time ` +
    `${missing} of ${sentAt.size}; ${(received / SECONDS / 1e6).toFixed(1)} MB/s of typing, ` +
    `${(cpuSeconds() - cpu).toFixed(1)} s of processor`;
}

/** What the server has used so far, on Linux. */
function cpuSeconds(): number {
  const [, rest] = Deno.readTextFileSync(`/proc/${child.pid}/stat`).split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const { child, url, kv } = await startServer();
try {
  for (const [name, storm] of [["control"], ["hubbub.v1", ""], ["lines", "hubbub.v1.lines"]]) {
    const protocol = storm === "" ? "hubbub.v1" : storm;
    console.log(`${name}: ${await measure(url, name.replace(".", "-"), protocol)}`);
    const rss = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
    console.log(`  resident: ${/VmRSS:\s*(\d+)/.exec(rss)?.[1] ?? "?"} kB`);
  }
} finally {
  child.kill("SIGKILL");
  await child.status;
  await Deno.remove(kv);
}
Deno.exit();
