/** What the data tests share: files in memory, and the messages of what is thrown. */
import { UserError } from '../../../src/core/errors.ts';
import type { ByteSource, DataSource, FileTree, Problem, RawItem } from '../../../src/kit/data/source.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';

const encoder = new TextEncoder();
const bytesFrom = (content: string | Uint8Array) => (typeof content === 'string' ? encoder.encode(content) : content);

export function treeOf(files: Record<string, string | Uint8Array>, root = 'faces'): FileTree {
  return { root, list: async () => Object.keys(files).sort(), read: async (path) => bytesFrom(files[path]!) };
}

export function bytesOf(content: string | Uint8Array): ByteSource {
  const bytes = bytesFrom(content);
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** What a user sees of the error: the message, an arrow and the remedy. */
export async function complaint(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof UserError) return `${error.message} -> ${error.remedy}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

export async function everything(source: DataSource): Promise<(RawItem | Problem)[]> {
  return Promise.all(Array.from({ length: source.count }, (_, i) => source.item(i)));
}

export const problemsOf = (items: readonly (RawItem | Problem)[]): Problem[] => items.filter((i): i is Problem => 'reason' in i);
export const usableOf = (items: readonly (RawItem | Problem)[]): RawItem[] => items.filter((i): i is RawItem => 'inputs' in i);

export const spec = (over: Partial<InputSpec> = {}): InputSpec => ({
  shape: [3, 2, 2],
  layout: 'NCHW',
  dtype: 'float32',
  modality: 'image',
  unit: 'RGB intensity',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'uint8',
  ...over,
});
