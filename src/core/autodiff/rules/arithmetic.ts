import type { Family } from '../rule.ts';

type Op = 'Add' | 'Mul';

export const arithmetic: Family<Op> = {
  Add: { broadcasting: ([dy]) => [dy, dy] },
  // y = a b: da = dy b, db = dy a
  Mul: {
    broadcasting: ([dy], { inputs: [a, b] }, { g, active }) =>
      dy === undefined ? [] : [active(0) ? g.op('Mul', [dy, b!]) : undefined, active(1) ? g.op('Mul', [dy, a!]) : undefined],
  },
};
