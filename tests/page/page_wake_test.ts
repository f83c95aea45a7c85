import { BROWSER, Chromium } from "../helpers/browser.ts";
import { SLOW_LEFT_OUT } from "../helpers/permissions.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { within } from "../helpers/patience.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("a page whose network goes and comes tests its connection at once", {
  ...BROWSER,
  ignore: BROWSER.ignore || SLOW_LEFT_OUT,
}, async () => {
  await using server = await serveAlone();
  await using chromium = await Chromium.start();
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
  await page.clock.install();
  await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  // Timers stand still from now on: whatever is sent, an event of the browser has caused.
  await page.clock.pauseAt(Date.now() + 60 * 60 * 1000);
  const ping = new Promise<void>((resolve) => onPing = resolve);
  const pong = new Promise<void>((resolve) => onPong = resolve);
  await page.context().setOffline(true);
  await page.context().setOffline(false);
  await within(ping, "a ping");
  await within(pong, "the answer");
});

Deno.test("a page that comes back from the browser's cache is as the room is now", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = await Chromium.start();
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
