import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { within } from "../helpers/patience.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("a page whose network goes and comes tests its connection at once", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let onPing = () => {};
  let onPong = () => {};
  await page.routeWebSocket(/\/ws\?/, (socket) => {
    const upstream = socket.connectToServer();
    socket.onMessage((frame) => {
      if (String(frame).includes('"ping"')) onPing();
      upstream.send(frame);
    });
    upstream.onMessage((frame) => {
      socket.send(frame);
      if (String(frame).includes('"pong"')) onPong();
    });
  });
  await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const ping = new Promise<void>((resolve) => onPing = resolve);
  const pong = new Promise<void>((resolve) => onPong = resolve);
  await page.context().setOffline(true);
  await page.context().setOffline(false);
  // Time is the subject: a quiet line alone is tested after 20 s.
  await within(ping, "a ping", 10_000);
  await within(pong, "the answer");
});

Deno.test("a page that comes back from the browser's cache is as the room is now", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.say("before");
  await ann.count(1);
  await page.getByLabel("Message", { exact: true }).fill("half a thought");
  await page.goto(`${server.url}/health`);
  await server.hub.publish("lobby", "bob", { text: "meanwhile" });
  await page.goBack();
  await ann.state("Connected");
  await ann.count(2);
  await page.waitForFunction(() => {
    const field = document.getElementById("composer-text") as HTMLTextAreaElement | null;
    return field?.value === "half a thought";
  });
  await ann.say("after");
  await ann.count(3);
});
