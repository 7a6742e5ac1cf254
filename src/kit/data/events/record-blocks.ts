/** @file Events of one size each, a block after the other. */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import { chunkEvents, placeAfter } from './chunk.ts';
import { sequential } from './sequential.ts';

export interface RecordBlock {
  readonly bytes: Uint8Array;
  /** Number of its first record in the file, and how many it holds. */
  readonly first: number;
  readonly many: number;
}

/** All whole records from byte `start` on. Throws a UserError that names the file where bytes are left after the last one. */
export async function* recordBlocks(
  source: ByteSource,
  { name, recordBytes, start = 0 }: { readonly name: string; readonly recordBytes: number; readonly start?: number },
): AsyncGenerator<RecordBlock> {
  const records = Math.floor((source.size - start) / recordBytes);
  const reader = sequential(source, start);
  for (let first = 0; first < records; ) {
    const bytes = await reader.take(Math.min(chunkEvents, records - first) * recordBytes);
    const many = Math.floor(bytes.length / recordBytes);
    if (many === 0) throw new UserError(`"${name}" ends before event ${first}`, 'it became shorter while it was read: try again');
    yield { bytes, first, many };
    first += many;
  }
  const left = source.size - start - records * recordBytes;
  if (left !== 0)
    throw new UserError(
      `"${name}" is cut short: ${left} bytes are left ${placeAfter(records)}, an event takes ${recordBytes}`,
      'copy or download the file again',
    );
}
