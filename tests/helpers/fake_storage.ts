import type { UnsentStorage } from "@hubbub/hub/client";

/** A storage as a browser has it. */
export class FakeStorage implements UnsentStorage {
  readonly items = new Map<string, string>();
  isFull = false;

  /** The keys of messages that are not stored. */
  get unsent(): string[] {
    return [...this.items.keys()].filter((key) => key.startsWith("hubbub-client:"));
  }

  get length(): number {
    return this.items.size;
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException("Full", "QuotaExceededError");
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}
