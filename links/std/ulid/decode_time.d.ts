// Types of @std/ulid/decode-time 1.x.

export declare function decodeTime(ulid: string): number;
