/** @file What a plan refuses before anything runs. */
import { describe, expect, it } from 'vitest';
import { type Budget, checkAttack } from '../../../src/app/experiment/plan.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { attacks } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';

const events = specOf([12], { domain: 'binary', storage: 'binary' });
const check =
  (name: string, threat: Readonly<Record<string, readonly [Norm, number]>>, inputs: Readonly<Record<string, InputSpec>>) =>
  () => {
    const attack: Attack = attacks[name]!;
    const of = <T>(value: (entry: readonly [Norm, number]) => T): Record<string, T> =>
      Object.fromEntries(Object.entries(threat).map(([input, entry]) => [input, value(entry)]));
    const budget: Budget = { norm: of(([norm]) => norm), eps: of(([, eps]) => eps) };
    const model = { inputs, classes: ['a', 'b', 'c', 'd'] };
    checkAttack({ label: name, attack, options: attack.defaults }, [budget], { kind: 'untargeted' }, model);
  };

describe('on an input that holds only zeros and ones', () => {
  it.each(['fgsm', 'bim', 'pgd', 'mifgsm', 'apgd', 'autoattack'])('%s is refused, and those that flip are named', (name) => {
    expect(check(name, { x: ['l2', 2] }, { x: events })).toThrow(/holds only two: rounding would decide/);
    expect(check(name, { x: ['l2', 2] }, { x: specOf([12]) })).not.toThrow();
  });

  it('the remedy names what flips in that norm, and nothing else', () => {
    try {
      check('pgd', { x: ['l2', 2] }, { x: events })();
      expect.unreachable();
    } catch (error) {
      expect((error as { remedy: string }).remedy).toMatch(/\(in l2: square, worst-case\)/);
    }
  });

  it.each([
    ['square', 'l2'],
    ['jsma', 'l0'],
    ['few-pixel', 'l0'],
    ['noise', 'l1'],
    ['worst-case', 'l0'],
    ['worst-case', 'linf'],
    ['cw', 'l2'],
    ['fmn', 'l0'],
    ['greedy-flip', 'l0'],
  ] as const)('%s may run in %s', (name, norm) => {
    expect(check(name, { x: [norm, 2] }, { x: events })).not.toThrow();
  });

  it.each(['random-flip', 'greedy-flip', 'top-k-flip', 'scg', 'spike-fool', 'gumbel-flip'])(
    '%s is refused where there is nothing to flip, and runs beside inputs of other values',
    (name) => {
      const pixels = specOf([12]);
      expect(check(name, { x: ['l0', 2] }, { x: pixels })).toThrow(
        /does nothing but flip values, and input "x" holds more than two/,
      );
      expect(check(name, { x: ['l0', 2], y: ['l0', 2] }, { x: pixels, y: pixels })).toThrow(/inputs "x" and "y" hold more/);
      expect(check(name, { x: ['l0', 2], y: ['l0', 2] }, { x: events, y: pixels })).not.toThrow();
    },
  );

  it.each([
    ['square', 'linf', 0.5],
    ['cw', 'l2', 0.9],
    ['few-pixel', 'l0', 0.5],
  ] as const)('%s in %s: an eps of %d that pays for no flip is refused', (name, norm, eps) => {
    expect(check(name, { x: [norm, eps] }, { x: events })).toThrow(/does not pay for one flip of "x"/);
    expect(check(name, { x: [norm, 1] }, { x: events })).not.toThrow();
  });
});

describe('inputs of different norms', () => {
  const inputs = { rgb: specOf([12]), skeleton: specOf([6], { bounds: 'unbounded' }) };

  it('a suite runs what keeps to both, and is refused where nothing does', () => {
    expect(check('worst-case', { rgb: ['linf', 0.1], skeleton: ['l2', 1] }, inputs)).not.toThrow();
    expect(check('worst-case', { rgb: ['linf', 0.1], skeleton: ['l1', 1] }, inputs)).not.toThrow();
    expect(check('worst-case', { rgb: ['linf', 0.1], skeleton: ['l0', 3] }, inputs)).toThrow(/linf and l0 at once/);
    expect(check('autoattack', { rgb: ['linf', 0.1], skeleton: ['l2', 1] }, inputs)).toThrow(/one norm for all inputs/);
  });
});
