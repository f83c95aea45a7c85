// The hooks for React, over the fake hub: in a document, under StrictMode, and on a server.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  ChatProvider,
  useChatClient,
  useConnection,
  useRoom,
  useRooms,
  useTyping,
} from "@hubbub/hub/react";
import { type ChatClient, createClient, type Room } from "@hubbub/hub/client";
import { Window } from "happy-dom";
import { act, createElement, type FunctionComponent, StrictMode, useEffect, useState } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { FakeHubSocket, said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";

/** A document in which React renders, with what React complains of. */
class Stage implements Disposable {
  readonly complaints: string[] = [];
  readonly #window = new Window();
  readonly #root = this.#window.document.createElement("main");
  readonly #error = console.error;
  #mounted: Root | undefined;

  constructor() {
    const globals = { window: this.#window, document: this.#window.document };
    Object.assign(globalThis, { ...globals, IS_REACT_ACT_ENVIRONMENT: true });
    console.error = (...args) => void this.complaints.push(args.map(String).join(" "));
    this.#window.document.body.append(this.#root);
  }

  get text(): string | null {
    return this.#root.textContent;
  }

  get #container(): Parameters<typeof hydrateRoot>[0] {
    return this.#root as unknown as Element;
  }

  /** Renders components below a provider, under StrictMode. */
  async render(client: ChatClient, ...components: FunctionComponent[]): Promise<void> {
    await act(async () => {
      this.#mounted ??= createRoot(this.#container);
      this.#mounted.render(page(client, ...components));
      await settle();
    });
  }

  /** Takes over what a server has rendered. */
  async hydrate(html: string, client: ChatClient, ...components: FunctionComponent[]) {
    this.#root.innerHTML = html;
    await act(async () => {
      this.#mounted = hydrateRoot(this.#container, page(client, ...components), {
        onRecoverableError: (error: unknown) => void this.complaints.push(String(error)),
      });
      await settle();
    });
  }

  async unmount(): Promise<void> {
    await act(async () => {
      this.#mounted?.unmount();
      this.#mounted = undefined;
      await settle();
    });
  }

  [Symbol.dispose](): void {
    reactAct(() => this.#mounted?.unmount());
    console.error = this.#error;
    for (const name of ["window", "document", "IS_REACT_ACT_ENVIRONMENT"]) {
      Reflect.deleteProperty(globalThis, name);
    }
    void this.#window.happyDOM.close();
  }
}

function page(client: ChatClient, ...components: FunctionComponent[]) {
  const children = components.map((component, key) => createElement(component, { key }));
  return createElement(StrictMode, {}, createElement(ChatProvider, { client }, children));
}

/** What the hub says, shown. */
async function shown(act: () => void): Promise<void> {
  await reactAct(async () => {
    act();
    await settle();
  });
}
const reactAct = act;

const Status = () => createElement("i", {}, useConnection().status);
const Lobby = () => {
  const { snapshot: { messages, status, unread } } = useRoom("lobby", { history: 5 });
  return createElement("p", {}, `${status}, ${unread} new: ${messages.map(({ text }) => text)};`);
};
const Rooms = () => {
  const { rooms } = useRooms();
  return createElement("p", {}, rooms.map(({ room, unread }) => `${room} ${unread} `));
};

Deno.test("useRoom() joins a room once under StrictMode, shows it, and leaves it", async () => {
  using test = await startClient();
  using stage = new Stage();
  test.socket.welcome();
  // Who asks for a room without options leaves them to others.
  const Typing = () => `${useTyping("lobby").typing}`;
  await stage.render(test.client, Typing, Lobby, Lobby, Status);
  assertEquals(test.socket.frames.flat().map(({ type, payload }) => [type, payload]), [
    ["join", { history: 5 }],
  ]);
  await shown(() => {
    test.socket.join("lobby", { read: cursor(0) });
    test.socket.say(said("lobby", 1), said("lobby", 2));
  });
  assertEquals(stage.text, "live, 2 new: text 1,text 2;live, 2 new: text 1,text 2;live");
  // Another component takes over, in one turn: the room is not left.
  await stage.render(test.client, Status, Lobby);
  assertEquals(stage.text, "livelive, 2 new: text 1,text 2;");
  await stage.unmount();
  assertEquals(test.socket.frames.flat().map(({ type }) => type), ["join", "leave"]);
  assertEquals([test.sockets.length, stage.complaints], [1, []]);
});

Deno.test("useRooms() shows the rooms and what is unread, live", async () => {
  const rooms = ["news", "lobby"].map((room, index) => {
    const [place, read] = [cursor(9 - index), cursor(1)];
    return { room, cursor: place, read, unread: 3, mentions: 0, last: null };
  });
  const fetch = () => Promise.resolve(Response.json({ rooms, next: null }));
  using test = await startClient({ fetch });
  using stage = new Stage();
  test.socket.welcome();
  await stage.render(test.client, Rooms);
  await shown(() => {});
  assertEquals(stage.text, "news 3 lobby 3 ");
  await shown(() => {
    for (const { room, cursor, read } of rooms) test.socket.join(room, { cursor, read });
    test.socket.say(said("lobby", 10));
  });
  assertEquals(stage.text, "lobby 4 news 3 ");
  await stage.unmount();
  assertEquals(test.socket.sent("leave").length, 2);
  assertEquals(stage.complaints, []);
});

Deno.test("useTyping() renders with who is typing alone, and ends one's own", async () => {
  using test = await startClient();
  using stage = new Stage();
  test.socket.welcome();
  let [renderings, type] = [0, (_isTyping?: boolean) => {}];
  await stage.render(test.client, () => {
    const { typing, setTyping } = useTyping("lobby");
    useEffect(() => void (type = setTyping), [setTyping]);
    renderings++;
    return `${typing}`;
  });
  await shown(() => test.socket.join("lobby"));
  const before = renderings;
  await shown(() => test.socket.say(said("lobby", 1), said("lobby", 2)));
  assertEquals(renderings, before);
  await shown(() => {
    const payload = { user: "bob", status: true };
    test.socket.say({ type: "typing_status", room: "lobby", payload });
  });
  assertEquals(stage.text, "bob");
  await shown(() => type());
  await stage.unmount();
  assertEquals(test.socket.sent("typing_status").map(({ payload }) => payload.status), [
    true,
    false,
  ]);
  assertEquals(stage.complaints, []);
});

Deno.test("A client that is made in an effect opens one connection under StrictMode", async () => {
  using test = await startClient();
  using stage = new Stage();
  const sockets: FakeHubSocket[] = [];
  class Socket extends FakeHubSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const clients: ChatClient[] = [];
  await stage.render(test.client, () => {
    const [client, setClient] = useState<ChatClient>();
    useEffect(() => {
      const WebSocket = Socket as unknown as typeof globalThis.WebSocket;
      const own = createClient("http://chat.test", { user: "ann", WebSocket });
      clients.push(own);
      setClient(own);
      return () => own.close();
    }, []);
    return client ? createElement(ChatProvider, { client }, createElement(Lobby)) : null;
  });
  assertEquals([clients.length, sockets.length], [2, 1]);
  await shown(() => {
    sockets[0].welcome();
  });
  await shown(() => sockets[0].join("lobby"));
  assertEquals(stage.text, "live, 0 new: ;");
  await stage.unmount();
  assertEquals(clients.map(({ status }) => status), ["closed", "closed"]);
  assertEquals(stage.complaints, []);
});

Deno.test("A server renders what a browser takes over, and joins nothing", async () => {
  using test = await startClient();
  test.socket.welcome();
  const typing = () => `typing: ${useTyping("lobby").typing}`;
  const html = renderToString(page(test.client, Lobby, Rooms, Status, typing));
  await settle();
  assertEquals(html, "<p>idle, 0 new: ;</p><p></p><i>connecting</i>typing: ");
  assertEquals([test.socket.frames, test.client.rooms.snapshot.status], [[], "idle"]);
  using stage = new Stage();
  await stage.hydrate(html, test.client, Lobby, Rooms, Status, typing);
  await shown(() => test.socket.join("lobby"));
  assertEquals(stage.text, "live, 0 new: ;lobby 0 livetyping: ");
  assertEquals(stage.complaints, []);
  await stage.unmount();
});

Deno.test("The hooks give the same room and functions in each rendering, and want a provider", async () => {
  using test = await startClient();
  using stage = new Stage();
  test.socket.welcome();
  const seen: { room: Room; setTyping: unknown; client: ChatClient }[] = [];
  await stage.render(test.client, () => {
    const { room } = useRoom("lobby");
    seen.push({ room, setTyping: useTyping("lobby").setTyping, client: useChatClient() });
    return null;
  });
  await shown(() => test.socket.join("lobby"));
  await shown(() => test.socket.say(said("lobby", 1)));
  assert(seen.length > 2);
  // StrictMode renders twice, and keeps the memory of one of the two.
  const last = seen.at(-1)!;
  for (const { room, client } of seen) {
    assertStrictEquals(room, test.client.room("lobby"));
    assertStrictEquals(client, test.client);
  }
  assertStrictEquals(seen.at(-2)!.setTyping, last.setTyping);
  await stage.unmount();
  assertThrows(() => renderToString(createElement(Status)), Error, "no ChatProvider");
});
