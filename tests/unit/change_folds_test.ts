// One sequence of changes, and all who fold it together: members of both protocols as it happens,
// newcomers from memory and from the store, pages of any size read from any place on, and one message
// by itself. All must come to the same.

import { assertEquals } from "@std/assert";
import type { ChangeDraft, EnvelopeBatch, Member } from "@hubbub/hub";
import {
  decodeServerEnvelope,
  decodeServerEnvelopeV2,
  type MessageChange,
} from "@hubbub/hub/protocol";
import { foldChange } from "../../src/client/message_fold.ts";
import { messageOfPage, type StoredMessage, storedMessage } from "../../src/client/room_state.ts";
import { type PresentPage, readPresent, readPresentPage } from "../../src/hub/present_page.ts";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageOf, payloadOf } from "../../src/store/folded_record.ts";
import { eventually } from "../helpers/patience.ts";
import { Random } from "../helpers/random.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";

/** Somebody's messages, by cursor, folded as the client does. */
class Folder {
  readonly messages = new Map<string, StoredMessage>();
  cursor = "";

  constructor(readonly user: string) {}

  show(message: StoredMessage): void {
    this.messages.set(message.cursor, message);
    if (message.cursor > this.cursor) this.cursor = message.cursor;
  }

  change(change: MessageChange): void {
    const message = this.messages.get(change.message);
    if (message) this.messages.set(change.message, foldChange(message, change, this.user));
    if (change.cursor > this.cursor) this.cursor = change.cursor;
  }

  copy(): Folder {
    const copy = new Folder(this.user);
    for (const [cursor, message] of this.messages) copy.messages.set(cursor, message);
    copy.cursor = this.cursor;
    return copy;
  }

  /** What is shown; of long lists of users, the number alone. */
  get shown(): unknown[] {
    return [...this.messages.values()].map(({ cursor, text, data, editedAt, changed, ...rest }) => {
      const { deleted, reactions = [] } = rest;
      const kinds = reactions.map(({ emoji, count, users, mine }) => {
        return [emoji, count, count > 40 ? count : users, mine];
      });
      return { cursor, text, data, editedAt, changed, deleted, kinds };
    });
  }
}

/** A member that folds whatever comes. */
class Watcher extends Folder implements Member {
  readonly protocol: 1 | 2;
  isLive = false;

  constructor(user: string, protocol: 1 | 2 = 2) {
    super(user);
    this.protocol = protocol;
  }

  send(batch: EnvelopeBatch): void {
    if (this.protocol === 1) {
      for (const text of batch.envelopes) {
        const decoded = decodeServerEnvelope(text);
        if (!decoded.ok) throw new Error(text);
        const { type, payload } = decoded.envelope;
        if (type === "chat_message") this.show(messageOfPage(payload, this.user));
        else if (type === "message_changed") this.change(payload);
        else if (type === "joined") this.isLive = true;
      }
      return;
    }
    for (const text of batch.linesV2(this.user).split("\n")) {
      if (text === "") continue;
      const decoded = decodeServerEnvelopeV2(text);
      if (!decoded.ok) throw new Error(text);
      const { type, payload } = decoded.envelope;
      if (type === "chat_message") this.show(storedMessage(payload, this.user));
      else if (type === "message_changed") this.change(payload);
      else if (type === "joined") this.isLive = true;
    }
  }

  close(): void {}
}

for (const [seed, users] of [[1, 4], [2, 4], [3, 4], [4, 80]]) {
  Deno.test(`everybody comes to the same, ${users} users who react: seed ${seed}`, async () => {
    const random = new Random(seed);
    await using isolates = await TestIsolates.open();
    const [one, two] = isolates.startAll(2);
    const viewers = ["ann", "u1", "eve"];
    const live = [
      ...viewers.map((user, index) => new Watcher(user, index === 2 ? 1 : 2)),
      ...viewers.map((user) => new Watcher(user)),
    ];
    for (const [index, watcher] of live.entries()) {
      await (index < 3 ? one : two).hub.join("lobby", watcher).joined;
    }
    const cursors: string[] = [];
    const between: Folder[] = [];
    const steps = users > 50 ? 320 : 160;
    for (let step = 0; step < steps; step++) {
      const { hub } = random.pick([one, two]);
      const cursor = random.pick(cursors);
      const what = random.next();
      if (!cursor || (what < 0.1 && cursors.length < 12)) {
        const sent = await hub.publish("lobby", "ann", { text: `m${step}`, data: { step } });
        if (sent.status === "stored") cursors.push(sent.record.cursor);
        continue;
      }
      const draft: ChangeDraft = what < 0.82
        ? {
          kind: "reaction",
          cursor: users > 50 ? cursors[0] : cursor,
          emoji: random.pick(["👍", "❤", "x", "y"]),
          status: random.chance(0.6),
        }
        : what < 0.97
        ? { kind: "edit", cursor, ...random.pick([{ text: `e${step}` }, { data: null }]) }
        : { kind: "delete", cursor: cursors.at(-1)! };
      const user = draft.kind === "reaction" ? `u${random.below(users)}` : "ann";
      const result = await hub.change("lobby", user, draft);
      // What everybody was told: the other isolate decides by it next.
      if (result.status === "stored") {
        const { cursor } = result.change;
        await eventually(() => live.every((watcher) => watcher.cursor >= cursor), "the change");
      }
      if (random.chance(0.04)) between.push(live[0].copy(), live[4].copy());
    }
    const third = isolates.start();
    for (const viewer of viewers) {
      const expected = live.find(({ user }) => user === viewer)!;
      const newcomers = await Promise.all([one, two, third].map(async ({ hub }) => {
        const watcher = new Watcher(viewer);
        await hub.join("lobby", watcher, { history: 100 }).joined;
        return watcher;
      }));
      const single = new Folder(viewer);
      for (const cursor of cursors) {
        const record = (await readPresent(isolates.logs, "lobby", cursor))!;
        single.show(messageOfPage(messageOf(record, viewer), viewer));
      }
      for (const folder of [...live.filter(({ user }) => user === viewer), ...newcomers, single]) {
        assertEquals(folder.shown, expected.shown);
      }
    }
    for (const start of [...between, new Folder("ann")]) {
      const folder = start.copy();
      const expected = live.find(({ user }) => user === start.user)!;
      for (let after: string | null = start.cursor || ORIGIN; after !== null;) {
        const limit = 1 + random.below(9);
        const maxLength = random.pick([1, 700, 1e6]);
        const page = await readPresentPage(isolates.logs, "lobby", { after, limit, maxLength });
        for (const record of page.messages) {
          folder.show(messageOfPage(messageOf(record, start.user), start.user));
        }
        for (const { change } of page.changes) {
          if (change && change.kind !== "control") folder.change(payloadOf(change));
        }
        after = page.newer;
      }
      assertEquals(folder.shown, expected.shown);
    }
    const back = new Folder("ann");
    const pages: StoredMessage[][] = [];
    let before: string | null | undefined = undefined;
    while (before !== null) {
      const options = { before, limit: 1 + random.below(9), maxLength: random.pick([1, 700, 1e6]) };
      const page: PresentPage = await readPresentPage(isolates.logs, "lobby", options);
      pages.unshift(page.messages.map((it) => messageOfPage(messageOf(it, "ann"), "ann")));
      before = page.older;
    }
    for (const message of pages.flat()) back.show(message);
    assertEquals(back.shown, live[0].shown);
  });
}
