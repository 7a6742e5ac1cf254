/** @file sha256 of many parts, one at a time: the digest of the parts' digests, so that nothing big has to be held at once. */

const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

const encoder = new TextEncoder();

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

/** Hexadecimal sha256 of a whole file, as every other tool computes it. */
export const sha256Hex = async (bytes: Uint8Array): Promise<string> => hex(await sha256(bytes));

export interface Digest {
  add(part: Uint8Array | string): Promise<void>;
  /** Hexadecimal sha256 over the sha256 of every part, in order. */
  finish(): Promise<string>;
}

/** A digest of parts; where one part ends and the next begins matters. */
export function digest(): Digest {
  const parts: Uint8Array[] = [];
  return {
    async add(part) {
      parts.push(await sha256(typeof part === 'string' ? encoder.encode(part) : part));
    },
    async finish() {
      const all = new Uint8Array(32 * parts.length);
      for (const [i, part] of parts.entries()) all.set(part, 32 * i);
      return hex(await sha256(all));
    },
  };
}
