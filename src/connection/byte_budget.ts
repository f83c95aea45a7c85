/**
 * The bytes that wait for peers, shared by address.
 *
 * @module
 */

/** Bytes that may wait for all peers together. */
const TOTAL_BYTES = 64 * 1024 * 1024;

/** Bytes that every address may have, also where others have taken almost all. */
const FLOOR_BYTES = 64 * 1024;
/** How many times the budget may wait for all addresses together: then nobody may have more. */
const CEILING_FACTOR = 2;

/** The bytes that wait for one address. */
export interface ByteAccount {
  /** Bytes that wait. */
  readonly bytes: number;
  /** Whether the address has its share: no more may be kept for it. */
  readonly isFull: boolean;
  /**
   * Counts bytes.
   *
   * @param bytes How many more; negative where fewer.
   */
  add(bytes: number): void;
  /** Closes the account for one of its holders. What they added must have been taken off. */
  close(): void;
}

/**
 * A budget of bytes that were sent and not read yet, for sockets, answers and event streams alike.
 * A peer that does not read cannot be got rid of: the runtime holds what waits for it until it goes
 * by itself, so a closed one counts on. The share of an address is what is left for all others: one
 * address can take half of the budget, the next half of what is then left, and every one a little,
 * so that those who come from elsewhere and read are served (dynamic thresholds, Choudhury and Hahne
 * 1998).
 *
 * @example
 * ```ts
 * import { ByteBudget } from "./byte_budget.ts";
 *
 * const budget = new ByteBudget({ totalBytes: 1_000_000 });
 * const account = budget.open("192.0.2.1");
 * account.add(600_000);
 * console.log(account.isFull, budget.isFull("192.0.2.2")); // true false
 * account.add(-600_000);
 * account.close();
 * ```
 */
export class ByteBudget {
  readonly #totalBytes: number;
  readonly #accounts = new Map<string, SharedAccount>();
  #bytes = 0;

  /**
   * Begins with nothing that waits.
   *
   * @param options How many bytes may wait for all peers together. @default {67108864}
   */
  constructor(options: { readonly totalBytes?: number } = {}) {
    this.#totalBytes = options.totalBytes ?? TOTAL_BYTES;
  }

  /** Bytes that wait for all peers together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Addresses for which something is kept. */
  get size(): number {
    return this.#accounts.size;
  }

  /**
   * Opens the account of an address, or shares it.
   *
   * @param address The address; undefined for an account of its own.
   * @returns The account, which the caller must close.
   */
  open(address: string | undefined): ByteAccount {
    const key = address ?? `unknown ${crypto.randomUUID()}`;
    let account = this.#accounts.get(key);
    if (!account) {
      account = new SharedAccount({
        isOver: (bytes) => this.#isOver(bytes),
        onAdd: (bytes) => this.#bytes += bytes,
        onEmpty: () => this.#accounts.delete(key),
      });
      this.#accounts.set(key, account);
    }
    account.holders++;
    return account;
  }

  /**
   * Tells whether an address has its share.
   *
   * @param address The address.
   * @returns True where nothing more may be kept for it.
   */
  isFull(address: string | undefined): boolean {
    const account = address === undefined ? undefined : this.#accounts.get(address);
    return account?.isFull ?? this.#isOver(0);
  }

  #isOver(bytes: number): boolean {
    if (this.#bytes >= CEILING_FACTOR * this.#totalBytes) return true;
    return bytes > Math.max(FLOOR_BYTES, this.#totalBytes - this.#bytes);
  }
}

/** What an account does to the budget that it belongs to. */
interface AccountOptions {
  readonly isOver: (bytes: number) => boolean;
  readonly onAdd: (bytes: number) => void;
  readonly onEmpty: () => void;
}

class SharedAccount implements ByteAccount {
  holders = 0;
  bytes = 0;
  readonly #options: AccountOptions;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#options.isOver(this.bytes);
  }

  add(bytes: number): void {
    this.bytes += bytes;
    this.#options.onAdd(bytes);
  }

  close(): void {
    if (--this.holders === 0) this.#options.onEmpty();
  }
}
