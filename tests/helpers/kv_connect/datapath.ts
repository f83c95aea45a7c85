// The messages of KV Connect, the protocol between Deno and a KV that is reached by URL, in their
// binary form. Field numbers are those of https://github.com/denoland/denokv/blob/main/proto.

import protobuf from "protobufjs";

/** Versions of the protocol that this speaks. */
export const PROTOCOL_VERSION = 3;

const DATAPATH = `
syntax = "proto3";

message SnapshotRead { repeated ReadRange ranges = 1; }
message ReadRange { bytes start = 1; bytes end = 2; int32 limit = 3; bool reverse = 4; }
message SnapshotReadOutput {
  repeated ReadRangeOutput ranges = 1;
  bool read_is_strongly_consistent = 4;
  int32 status = 8;
}
message ReadRangeOutput { repeated KvEntry values = 1; }
message KvEntry { bytes key = 1; bytes value = 2; int32 encoding = 3; bytes versionstamp = 4; }

message AtomicWrite { repeated Check checks = 1; repeated Mutation mutations = 2; }
message Check { bytes key = 1; bytes versionstamp = 2; }
message Mutation { bytes key = 1; KvValue value = 2; int32 mutation_type = 3; }
message KvValue { bytes data = 1; int32 encoding = 2; }
message AtomicWriteOutput { int32 status = 1; bytes versionstamp = 2; repeated uint32 failed_checks = 4; }

message Watch { repeated WatchKey keys = 1; }
message WatchKey { bytes key = 1; }
message WatchOutput { int32 status = 1; repeated WatchKeyOutput keys = 2; }
message WatchKeyOutput { bool changed = 1; KvEntry entry_if_changed = 2; }
`;

/** A value as it is kept: its bytes, their form, and the commit that wrote it. */
export interface StoredEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly encoding: number;
  readonly versionstamp: Uint8Array;
}

/** What may be read, written and watched. */
export interface Messages {
  readonly SnapshotRead: {
    readonly ranges: readonly {
      readonly start: Uint8Array;
      readonly end: Uint8Array;
      readonly limit: number;
      readonly reverse: boolean;
    }[];
  };
  readonly SnapshotReadOutput: {
    readonly ranges: readonly { readonly values: readonly StoredEntry[] }[];
    readonly readIsStronglyConsistent: boolean;
    readonly status: number;
  };
  readonly AtomicWrite: {
    readonly checks: readonly { readonly key: Uint8Array; readonly versionstamp: Uint8Array }[];
    readonly mutations: readonly {
      readonly key: Uint8Array;
      readonly value?: { readonly data: Uint8Array; readonly encoding: number };
      readonly mutationType: number;
    }[];
  };
  readonly AtomicWriteOutput: {
    readonly status: number;
    readonly versionstamp?: Uint8Array;
    readonly failedChecks?: readonly number[];
  };
  readonly Watch: { readonly keys: readonly { readonly key: Uint8Array }[] };
  readonly WatchOutput: {
    readonly status: number;
    readonly keys: readonly {
      readonly changed: boolean;
      readonly entryIfChanged?: StoredEntry;
    }[];
  };
}

const root = protobuf.parse(DATAPATH).root;

/** Encodes a message. */
export function encode<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
): Uint8Array<ArrayBuffer> {
  const type = root.lookupType(name);
  return Uint8Array.from(type.encode(type.fromObject(message)).finish());
}

/** Decodes a message; what it leaves out has its default. */
export function decode<Name extends keyof Messages>(name: Name, bytes: Uint8Array): Messages[Name] {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { defaults: true, arrays: true }) as Messages[Name];
}
