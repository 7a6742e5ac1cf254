/** @file Counter-based random streams (Philox4x32-10, Salmon et al. 2011): a stream is a pure function of its keys, so nothing is shared between samples. */

const M0 = 0xd2511f53 | 0;
const M1 = 0xcd9e8d57 | 0;
const W0 = 0x9e3779b9 | 0;
const W1 = 0xbb67ae85 | 0;

/** Upper 32 bits of the product of two unsigned 32-bit numbers; 32-bit integers throughout, which engines keep in registers. */
const high = (a: number, b: number): number => {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = (Math.imul(ah, bl) + (Math.imul(al, bl) >>> 16)) | 0;
  const cross = (Math.imul(al, bh) + (middle & 0xffff)) | 0;
  return (Math.imul(ah, bh) + (middle >>> 16) + (cross >>> 16)) | 0;
};

/** Ten rounds on the counter c0..c3 with the key k0, k1; the four words are written to `out`. */
function rounds(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  let a = c0 | 0;
  let b = c1 | 0;
  let c = c2 | 0;
  let d = c3 | 0;
  let e = k0 | 0;
  let f = k1 | 0;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(M0, a);
    const low1 = Math.imul(M1, c);
    const high0 = high(M0, a);
    a = high(M1, c) ^ b ^ e;
    b = low1;
    c = high0 ^ d ^ f;
    d = low0;
    e = (e + W0) | 0;
    f = (f + W1) | 0;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** Four 32-bit words from a 128-bit counter and a 64-bit key (ten rounds). */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  const out = new Uint32Array(4);
  rounds(out, ...counter, ...key);
  return [out[0]!, out[1]!, out[2]!, out[3]!];
}

export interface Stream {
  /** The next 32 random bits, as an unsigned number. */
  bits(): number;
  /** Uniform in [0, 1), 24 bits, exact in float32. */
  uniform(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Uniform integer in [0, n). */
  integer(n: number): number;
  /** An independent stream keyed by one more name. */
  fork(key: string | number): Stream;
}

/** A stream keyed by names and numbers, e.g. `stream(seed, sampleId, 'pgd', restart)`: the same keys give the same numbers in any order and any process. */
export function stream(...keys: readonly (string | number)[]): Stream {
  const key = hash(keys);
  let block = 0;
  const words = new Uint32Array(4);
  let used = 4;
  let spare: number | undefined;
  const bits = (): number => {
    if (used === 4) {
      rounds(words, block >>> 0, Math.floor(block / 2 ** 32), key[2], key[3], key[0], key[1]);
      block++;
      used = 0;
    }
    return words[used++]!;
  };
  const uniform = (): number => (bits() >>> 8) / 2 ** 24;
  const self: Stream = {
    bits,
    uniform,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    integer(n) {
      const limit = 2 ** 32 - (2 ** 32 % n);
      let value = bits();
      while (value >= limit) value = bits();
      return value % n;
    },
    fork: (name) => stream(...keys, name),
  };
  return self;
}

/** 128 bits from the keys: FNV-1a over a prefix-free text form, four lanes, finished by Philox itself. */
function hash(keys: readonly (string | number)[]): [number, number, number, number] {
  const text = keys.map((k) => `${typeof k === 'number' ? 'n' : 's'}${String(k).length}:${k}`).join('');
  const lanes: [number, number, number, number] = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x7f4a7c15];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    for (let lane = 0; lane < 4; lane++) lanes[lane] = Math.imul(lanes[lane]! ^ (code + lane * 131), 0x01000193 + 2 * lane) >>> 0;
  }
  return philox(lanes, [text.length, 0x70726f76]);
}
