/** @file Random order. */
import type { Stream } from '../../core/tensor/random.ts';

/** The elements in an order drawn uniformly (Fisher and Yates). */
export function shuffled(elements: Int32Array, random: Stream): Int32Array {
  const order = elements.slice();
  for (let k = 0; k < order.length - 1; k++) {
    const other = k + random.integer(order.length - k);
    const held = order[k]!;
    order[k] = order[other]!;
    order[other] = held;
  }
  return order;
}
