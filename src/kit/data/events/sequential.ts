/** @file Bytes of a source one after the other, read in blocks. */
import type { ByteSource } from '../source.ts';

export interface SequentialBytes {
  /** Position of the next byte. */
  readonly at: number;
  /** The next `length` bytes, fewer at the end of the source; a view that is valid until the next call. */
  take(length: number): Promise<Uint8Array>;
  pass(length: number): void;
}

const blockBytes = 2 ** 20;

/** Reads from `start` on. */
export function sequential(source: ByteSource, start = 0): SequentialBytes {
  let at = start;
  let block: Uint8Array = new Uint8Array(0);
  let room = new Uint8Array(0);
  let blockAt = start;
  return {
    get at() {
      return at;
    },
    async take(length) {
      const wanted = Math.max(0, Math.min(length, source.size - at));
      if (at < blockAt || at + wanted > blockAt + block.length) {
        const length = Math.min(Math.max(wanted, blockBytes), source.size - at);
        if (room.length < length) room = new Uint8Array(length);
        block = await source.read(at, length, room);
        blockAt = at;
      }
      const bytes = block.subarray(at - blockAt, at - blockAt + wanted);
      at += bytes.length;
      return bytes;
    },
    pass(length) {
      at += length;
    },
  };
}

/** A file's bytes as a source. */
export const inMemory = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});
