/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Locator, Page } from "playwright-core";

/** A window with the chat page in it, as a person uses it. */
export class ChatWindow {
  /** The page in the browser. */
  readonly page: Page;
  /** What the browser complained about: errors of scripts, and whatever its policy blocked. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => void this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  /** A window whose page is in a room already. */
  static of(page: Page): ChatWindow {
    return new ChatWindow(page);
  }

  /** Opens the link to a room and gives a name at the door. */
  static async open(page: Page, link: string, user: string): Promise<ChatWindow> {
    const window = new ChatWindow(page);
    await page.goto(link);
    await page.getByLabel("Your name").fill(user);
    await page.getByLabel("Your name").press("Enter");
    return window;
  }

  /** Opens the link to a room, gives a name at the door, and waits for the connection. */
  static async enter(page: Page, link: string, user: string): Promise<ChatWindow> {
    const window = await ChatWindow.open(page, link, user);
    await window.state("Connected");
    return window;
  }

  /** Waits until the page says that its connection is like this. */
  async state(words: string): Promise<void> {
    await this.page.locator("#state", { hasText: words }).waitFor();
  }

  /** Writes and sends a message by keyboard. */
  async say(text: string): Promise<void> {
    const field = this.page.getByLabel("Message", { exact: true });
    await field.fill(text);
    // A finger's Enter begins a line.
    const isTouch = await this.page.evaluate(() => matchMedia("(pointer: coarse)").matches);
    if (isTouch) await this.page.locator("#send").click();
    else await field.press("Enter");
  }

  /** Waits until an element is there and visible. */
  async see(selector: string, hasText?: string | RegExp): Promise<Locator> {
    const found = this.page.locator(selector, hasText === undefined ? {} : { hasText }).first();
    await found.waitFor();
    return found;
  }

  /** Waits until an element is not visible. */
  async seeNo(selector: string): Promise<void> {
    await this.page.locator(selector).waitFor({ state: "hidden" });
  }

  /** The texts of the stored messages, in order. */
  texts(): Promise<string[]> {
    return this.page.locator("#days .text").allTextContents();
  }

  /** Waits until there are this many stored messages. */
  async count(count: number): Promise<void> {
    await this.page.waitForFunction(
      (count) => document.querySelectorAll("#days .message").length === count,
      count,
    );
  }

  /** Waits until the end of the messages is in view. */
  async atEnd(): Promise<void> {
    await this.page.waitForFunction(() => {
      const { scrollHeight, scrollTop, clientHeight } = document.getElementById("scroller")!;
      return scrollHeight - scrollTop - clientHeight < 2;
    });
  }

  /** Waits until a message stands somewhere: CSS pixels from the top of the window. */
  async stands(cursor: string, top: number): Promise<void> {
    await this.page.waitForFunction(
      ([cursor, top]) => {
        const item = document.querySelector(`[data-cursor="${cursor}"]`);
        return item !== null && Math.abs(item.getBoundingClientRect().top - Number(top)) < 1.5;
      },
      [cursor, top] as const,
    );
  }

  /** Where a message stands: CSS pixels from the top of the window. */
  top(cursor: string): Promise<number> {
    return this.page.locator(`[data-cursor="${cursor}"]`).evaluate((item) =>
      item.getBoundingClientRect().top
    );
  }

  /** The cursor of the message in the middle of the view. */
  middle(): Promise<string> {
    return this.page.evaluate(() => {
      const { top, height } = document.getElementById("scroller")!.getBoundingClientRect();
      const items = [...document.querySelectorAll<HTMLElement>("#days .message")];
      const middle = top + height / 2;
      return items.find((item) => item.getBoundingClientRect().bottom > middle)!.dataset.cursor!;
    });
  }

  /** Scrolls as with a wheel, and waits until the page has noticed. */
  async scroll(pixels: number): Promise<void> {
    await this.page.locator("#scroller").evaluate(
      (scroller, pixels) =>
        new Promise<void>((resolve) => {
          scroller.scrollTop += pixels;
          requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
        }),
      pixels,
    );
  }
}
