// Types of @std/async/delay 1.x.

export interface DelayOptions {
  signal?: AbortSignal;
  persistent?: boolean;
}
export declare function delay(ms: number, options?: DelayOptions): Promise<void>;
