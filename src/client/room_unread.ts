/**
 * What the user has not read of a room.
 *
 * @module
 */

import { findMentions, type MessageChange } from "../protocol/mod.ts";
import type { HistoryClient } from "./history_client.ts";
import { eraseUser, foldChange } from "./message_fold.ts";
import type { StoredMessage } from "./room_state.ts";
import { UNREAD_MAX, UnreadCount } from "./unread_count.ts";
import type { ListedUnread, UnreadReader, UnreadTotal, UnreadView } from "./unread_total.ts";

const NONE: UnreadTotal = { unread: 0, mentions: 0 };

/** A message of another user behind the mark. */
interface News {
  readonly cursor: string;
  readonly user: string;
  readonly isMention: boolean;
}

/** How {@linkcode RoomUnread} behaves. */
export interface RoomUnreadOptions {
  /** Reads messages that the connection does not bring. */
  readonly history: Pick<HistoryClient, "page">;
  /** Gives who reads. */
  readonly reader: () => UnreadReader;
  /** Aborted when the client has ended. */
  readonly closing: AbortSignal;
  /** Milliseconds before what could not be counted is counted again. */
  readonly retryMs: number;
  /** Called after each change. */
  readonly onChange: () => void;
}

/**
 * What the user has not read of a room: the last messages one by one, those before them by their
 * number. However long a log is, no more than 100 messages of it are known.
 */
export class RoomUnread {
  readonly #options: RoomUnreadOptions;
  readonly #count: UnreadCount;
  #read: string | undefined;
  /** Messages behind the mark, and behind `#before`, that are known one by one. */
  #news: News[] = [];
  /** Messages behind the mark and before `#before`. */
  #older: UnreadTotal = NONE;
  #before = "";
  /** The first message of the present run: those before it are not known. */
  #from: string | undefined;
  #seen = "";
  #last: StoredMessage | undefined;
  /** Whether a run has begun that is not complete yet. */
  #isBeginning = false;
  /** What is shown while a run begins. */
  #held: UnreadView | undefined;

  /** @param options The room, and who reads. */
  constructor(options: RoomUnreadOptions) {
    this.#options = options;
    this.#count = new UnreadCount({
      ...options,
      isNews: (message) => this.#isNews(message),
      isMention: ({ text }) => this.#isMention(text),
      range: () => ({ after: this.#read ?? "", before: this.#before }),
      onCount: (total) => {
        this.#older = total;
        options.onChange();
      },
    });
  }

  /** The place up to which the user has read; undefined until that is known. */
  get read(): string | undefined {
    return this.#read;
  }

  /** The place of the newest message or change that is known; empty where none is. */
  get head(): string {
    return this.#seen;
  }

  /** The newest message that is known. */
  get last(): StoredMessage | undefined {
    return this.#last;
  }

  /** What is unread. */
  get view(): UnreadView {
    if (this.#held) return this.#held;
    if (this.#read === undefined) return { ...NONE, firstUnread: undefined };
    const { unread, mentions, first } = this.#older;
    const all = mentions + this.#news.filter(({ isMention }) => isMention).length;
    return {
      unread: Math.min(UNREAD_MAX, unread + this.#news.length),
      mentions: Math.min(UNREAD_MAX, all),
      firstUnread: unread > 0 ? first : this.#news[0]?.cursor,
    };
  }

  /**
   * Takes a mark that was kept from before, unless a later one is known.
   *
   * @param read The place up to which the user has read.
   */
  restore(read: string): void {
    if (this.#read === undefined) this.#read = read;
    else this.move(read);
  }

  /** Begins a run of messages: what came before does not lead to what comes next. */
  begin(): void {
    this.#held ??= this.view;
    this.#isBeginning = true;
    this.#count.stop();
    this.#news = [];
    this.#older = NONE;
    this.#from = undefined;
    this.#seen = "";
  }

  /**
   * The run is complete up to where the hub stands: what comes now is live.
   *
   * @param at Where that is, how far the hub says that the user has read, and whether there may be
   * messages before the first one of the run.
   */
  arrive(at: {
    readonly cursor: string;
    readonly read: string | undefined;
    readonly hasOlder: boolean;
  }): void {
    const { cursor, read, hasOlder } = at;
    const [held, known, isBeginning] = [this.#held, this.#read, this.#isBeginning];
    this.#held = undefined;
    this.#isBeginning = false;
    // A mark behind the end of the log is one of another log.
    const own = known !== undefined && known <= cursor ? known : undefined;
    // What stands in a room when one comes first counts as read.
    this.#read = later(own, read) ?? cursor;
    this.#news = this.#news.filter((news) => news.cursor > this.#read!);
    this.#seen = later(this.#seen, cursor)!;
    if (isBeginning) this.#countBefore(this.#from ?? behind(cursor), hasOlder, held);
    this.#options.onChange();
  }

  /**
   * Takes what the hub lists of a room that is not joined.
   *
   * @param listed What that is.
   */
  listed(listed: ListedUnread): void {
    const { cursor, read, last, unread, mentions } = listed;
    const own = this.#read;
    this.begin();
    this.#held = undefined;
    this.#isBeginning = false;
    this.#read = own !== undefined && own <= cursor ? later(own, read) : read;
    this.#seen = cursor;
    this.#last = last;
    this.#before = behind(cursor);
    if (this.#read! < cursor) {
      this.#older = { unread, mentions };
      if (this.#read !== read) this.#count.start();
    }
    this.#options.onChange();
  }

  /**
   * Takes the next message of the log.
   *
   * @param message The message; one that was taken before is passed over.
   */
  took(message: StoredMessage): void {
    const { cursor, user, text } = message;
    if (cursor <= this.#seen) return;
    this.#from ??= cursor;
    this.#seen = cursor;
    this.#last = message;
    if (this.#isNews(message) && !(this.#read! >= cursor)) {
      this.#news.push({ cursor, user, isMention: this.#isMention(text) });
      if (this.#news.length > UNREAD_MAX) this.#shorten();
    }
    this.#options.onChange();
  }

  /**
   * Takes the next change of a message.
   *
   * @param change The change.
   */
  changed(change: MessageChange): void {
    const { cursor, message, kind, text } = change;
    if (cursor > this.#seen) this.#seen = cursor;
    if (this.#last?.cursor === message) {
      this.#last = foldChange(this.#last, change, this.#options.reader().user);
      this.#options.onChange();
    }
    const isOther = kind === "reaction" || kind === "edit" && text === undefined;
    if (isOther || this.#read! >= message) return;
    if (message < this.#before) return void (this.#older.unread > 0 && this.#count.start());
    this.#news = this.#news.flatMap((news) => {
      if (news.cursor !== message) return [news];
      return kind === "delete" ? [] : [{ ...news, isMention: this.#isMention(text!) }];
    });
    this.#options.onChange();
  }

  /**
   * Everything that a user wrote so far is gone.
   *
   * @param user The user.
   */
  erased(user: string): void {
    this.#news = this.#news.filter((news) => news.user !== user);
    if (this.#older.unread > 0) this.#count.start();
    if (this.#last) this.#last = eraseUser(this.#last, user, this.#options.reader().user);
    this.#options.onChange();
  }

  /**
   * Moves the mark on; it never goes back.
   *
   * @param cursor The newest message that was read.
   * @param told What the hub says is unread then, where it does.
   * @returns Whether it has moved.
   */
  move(cursor: string, told?: UnreadTotal): boolean {
    if (this.#read !== undefined && cursor <= this.#read) return false;
    this.#read = cursor;
    this.#held = undefined;
    this.#news = this.#news.filter((news) => news.cursor > cursor);
    if (behind(cursor) >= this.#before) {
      this.#count.stop();
      this.#older = NONE;
    } else if (this.#older.unread > 0) {
      const { unread, mentions } = this.#older;
      this.#older = told
        ? { unread: Math.max(0, told.unread - this.#news.length), mentions: told.mentions }
        : { unread, mentions };
      this.#count.start();
    }
    this.#options.onChange();
    return true;
  }

  /** Counts what stands between the mark and the first message that is known, if anything does. */
  #countBefore(before: string, hasOlder: boolean, held: UnreadView | undefined): void {
    this.#before = before;
    this.#older = NONE;
    // Between a message and the place right behind it is nothing.
    if (!hasOlder || this.#read! >= before || behind(this.#read!) === before) return;
    // Until it is counted, what was known of it stands for it.
    const unread = Math.max(0, (held?.unread ?? 0) - this.#news.length);
    this.#older = { unread, mentions: Math.min(unread, held?.mentions ?? 0) };
    this.#count.start();
  }

  /** The first of the messages known one by one becomes one of those known by their number. */
  #shorten(): void {
    const { cursor, isMention } = this.#news.shift()!;
    const { unread, mentions, first } = this.#older;
    this.#before = behind(cursor);
    this.#older = {
      unread: Math.min(UNREAD_MAX, unread + 1),
      mentions: Math.min(UNREAD_MAX, mentions + Number(isMention)),
      first: unread > 0 ? first : cursor,
    };
  }

  #isNews({ user, deleted }: StoredMessage): boolean {
    return user !== this.#options.reader().user && !deleted;
  }

  #isMention(text: string): boolean {
    const { user, name } = this.#options.reader();
    return findMentions(text, name === undefined ? [user] : [user, name]).length > 0;
  }
}

/** A place right behind a message, where no other one is. */
function behind(cursor: string): string {
  return `${cursor}~`;
}

function later(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || other !== undefined && other > one ? other : one;
}
