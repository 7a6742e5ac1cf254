import { floatOf, intOf, type Node } from '../../../src/core/onnx/graph.ts';
import { broadcastAt, type F64, filledBy, type Kernels, offsetOf } from './types.ts';

const at = (t: F64, index: readonly number[]): number => t.data[offsetOf(t.dims, index)]!;

/** [batch, positions, heads x width] as [batch, heads, positions, width]; four axes stay as they are. */
function withHeads(t: F64, heads: number | undefined): F64 {
  if (t.dims.length === 4 || heads === undefined) return t;
  const [batch, count, wide] = t.dims as [number, number, number];
  const width = wide / heads;
  return filledBy([batch, heads, count, width], ([b, h, s, d]) => at(t, [b!, s!, h! * width + d!]));
}

function withoutHeads(t: F64): F64 {
  const [batch, heads, count, width] = t.dims as [number, number, number, number];
  return filledBy([batch, count, heads * width], ([b, s, c]) => at(t, [b!, Math.floor(c! / width), s!, c! % width]));
}

/** Along the positions, `past` first. */
function joined(past: F64 | undefined, now: F64): F64 {
  if (past === undefined) return now;
  const before = past.dims[2]!;
  return filledBy([now.dims[0]!, now.dims[1]!, before + now.dims[2]!, now.dims[3]!], ([b, h, s, d]) =>
    s! < before ? at(past, [b!, h!, s!, d!]) : at(now, [b!, h!, s! - before, d!]),
  );
}

function softmaxOf(row: readonly number[]): number[] {
  const top = Math.max(...row);
  if (top === Number.NEGATIVE_INFINITY) return row.map(() => 0);
  const raised = row.map((v) => Math.exp(v - top));
  const total = raised.reduce((a, b) => a + b, 0);
  return raised.map((v) => v / total);
}

/** The scores of one query over all keys after each of the four stages. */
function stages(
  inputs: readonly (F64 | undefined)[],
  node: Node,
  q: F64,
  k: F64,
  isMaskBoolean: boolean,
  [b, h, i]: readonly [number, number, number],
): number[][] {
  const [, , , mask, past, , valid] = inputs;
  const width = q.dims[3]!;
  const scale = floatOf(node, 'scale') ?? 1 / Math.sqrt(width);
  const cap = floatOf(node, 'softcap', 0);
  const shared = q.dims[1]! / k.dims[1]!;
  const keys = Array.from({ length: k.dims[2]! }, (_, j) => j);
  const offset = past?.dims[2] ?? (valid === undefined ? 0 : valid.data[b]! - q.dims[2]!);
  const scores = keys.map((j) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += at(q, [b, h, i, d]) * at(k, [b, Math.floor(h / shared), j, d]);
    return scale * sum;
  });
  const capped = scores.map((s) => (cap > 0 ? cap * Math.tanh(s / cap) : s));
  const biased = capped.map((s, j) => {
    if (intOf(node, 'is_causal', 0) === 1 && j > i + offset) return Number.NEGATIVE_INFINITY;
    if (valid !== undefined && j >= valid.data[b]!) return Number.NEGATIVE_INFINITY;
    if (mask === undefined) return s;
    const given = broadcastAt(mask, [b, h, i, j]);
    if (isMaskBoolean) return given === 0 ? Number.NEGATIVE_INFINITY : s;
    return s + given;
  });
  return [scores, capped, biased, softmaxOf(biased)];
}

export const attention: Kernels = {
  Attention(inputs, node) {
    const [rawQ, rawK, rawV, mask, pastK, pastV] = inputs as [F64, F64, F64, F64?, F64?, F64?];
    const q = withHeads(rawQ, intOf(node, 'q_num_heads'));
    const k = joined(pastK, withHeads(rawK, intOf(node, 'kv_num_heads')));
    const v = joined(pastV, withHeads(rawV, intOf(node, 'kv_num_heads')));
    const shared = q.dims[1]! / k.dims[1]!;
    // the interpreter keeps booleans as 0 and 1, and no case adds a mask of zeros and ones
    const isMaskBoolean = mask?.data.every((m) => m === 0 || m === 1) === true;
    const row = (b: number, h: number, i: number): number[][] => stages(inputs, node, q, k, isMaskBoolean, [b, h, i]);
    const y = filledBy([...q.dims.slice(0, 3), v.dims[3]!], ([b, h, i, d]) =>
      row(b!, h!, i!)[3]!.reduce((sum, p, j) => sum + p * at(v, [b!, Math.floor(h! / shared), j, d!]), 0),
    );
    const exposed = filledBy(
      [...q.dims.slice(0, 3), k.dims[2]!],
      ([b, h, i, j]) => row(b!, h!, i!)[intOf(node, 'qk_matmul_output_mode', 0)]![j!]!,
    );
    return [rawQ.dims.length === 3 ? withoutHeads(y) : y, k, v, exposed];
  },

  RotaryEmbedding([x, cosines, sines, positions], node) {
    const flat = x!.dims.length === 3;
    const t = withHeads(x!, flat ? intOf(node, 'num_heads') : undefined);
    const turned = intOf(node, 'rotary_embedding_dim', 0) || t.dims[3]!;
    const half = turned / 2;
    const interleaved = intOf(node, 'interleaved', 0) === 1;
    const y = filledBy(t.dims, ([b, h, s, d]) => {
      if (d! >= turned) return at(t, [b!, h!, s!, d!]);
      const pair = interleaved ? Math.floor(d! / 2) : d! % half;
      const isFirst = interleaved ? d! % 2 === 0 : d! < half;
      const other = interleaved ? d! + (isFirst ? 1 : -1) : d! + (isFirst ? half : -half);
      const angle = positions === undefined ? [b!, s!, pair] : [at(positions, [b!, s!]), pair];
      const [c, n] = [at(cosines!, angle), at(sines!, angle)];
      return at(t, [b!, h!, s!, d!]) * c + (isFirst ? -n : n) * at(t, [b!, h!, s!, other]);
    });
    return [flat ? withoutHeads(y) : y];
  },
};
