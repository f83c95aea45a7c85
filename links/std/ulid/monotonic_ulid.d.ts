// Types of @std/ulid/monotonic-ulid 1.x.

export declare function monotonicUlid(seedTime?: number): string;
