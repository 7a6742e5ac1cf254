/** @file Options of the parts of a study: every one has words and an example that holds, and a wrong type is refused with part, option, what was given and what is expected. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseStudy } from '../../../src/app/study/parse.ts';
import { planStudy } from '../../../src/app/study/plan.ts';
import { UserError } from '../../../src/core/errors.ts';
import { parts } from '../../../src/judgement/systems/spiking/index.ts';
import { optionsOf } from '../../../src/judgement/systems/spiking/options.ts';

const study = (part: string): string => `
system: spiking
data: { seq: { format: sequences, path: seq } }
victims: { one: { model: model.onnx, data: seq } }
parts:
  - { part: ${part}, victims: [one], samples: 8 }
`;

/** What is needed where nothing is said of it. */
const enough: Readonly<Record<string, string>> = {
  'hidden-surrogate': '',
  sparse: 'elements: 10000, attacks: [sda, scg]',
  ablations: 'norm: linf, eps: [0.1], questions: { q: { a: { use: pgd } } }',
  hardened: 'spikes: { pdsg: pdsg }',
};

/** A part that states this option, and of all others what is needed. */
function stating(part: string, name: string, value: string): string {
  const others = Object.entries(parse(`{ ${enough[part]} }`) as object).filter(([other]) => other !== name);
  return [part, ...others.map(([other, stated]) => `${other}: ${JSON.stringify(stated)}`), `${name}: ${value}`].join(', ');
}

const refused = (part: string): UserError => {
  try {
    parseStudy(study(part), 'study.yaml');
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`accepted: ${part}`);
};

describe('options of the parts of a study', () => {
  const all = Object.values(parts).flatMap((part) => optionsOf(part).map((option) => ({ part: part.name, ...option })));

  it('each has an example that its part takes', () => {
    for (const { part, name, example } of all) {
      const [planned] = parseStudy(study(stating(part, name, example)), 'study.yaml').parts;
      expect((planned!.options as Readonly<Record<string, unknown>>)[name]).toEqual(parse(example));
    }
  });

  it('each refuses a value of another kind, naming part, option, what was given and what is expected', () => {
    for (const { part, name, type, example } of all) {
      const { message, remedy } = refused(stating(part, name, 'true'));
      expect(message).toMatch(new RegExp(`^study\\.yaml:6:\\d+: parts\\.0\\.${name}: `));
      expect(message).toContain(`part ${part}: ${name} must be ${type}, but ${name} is true`);
      expect(remedy).toBe(`e.g. ${name}: ${example}; docs/spiking.md has the options of each part`);
    }
  });

  it.each([
    ['hidden-surrogate, pdsg: pdsg', 'but pdsg is "pdsg"'],
    ['hidden-surrogate, pdsg: {}', 'but pdsg is {}'],
    ['hidden-surrogate, pdsg: { PDSG: { width: 2 } }', 'but pdsg.PDSG is {"width":2}'],
    ['hidden-surrogate, eps: [1/255, four]', 'but eps.1 is "four"'],
    ['hidden-surrogate, eps: [-1]', 'but eps.0 is -1'],
    ['hidden-surrogate, families: []', 'but families is []'],
    ['hidden-surrogate, widths: [1, .inf]', 'but widths.1 is Infinity'],
    ['sparse, attacks: [sda, scg]', 'part sparse: elements must be a whole number from 1, but elements is missing'],
    ['sparse, elements: 100, attacks: [sda]', 'but attacks is ["sda"]'],
    ['sparse, elements: 100, attacks: [sda, { as: b }]', 'but attacks.1 is {"as":"b"}'],
    ['sparse, elements: 100, attacks: [sda, { use: scg, spikes: 3 }]', 'but attacks.1 is {"use":"scg","spikes":3}'],
    ['sparse, elements: 100, flips: [], shares: [], attacks: [sda, scg]', 'sparse: flips and shares are both empty'],
    ['sparse, elements: 100, attacks: [sda, scg]', 'shares: 0.05 percent of 100 elements is less than one'],
    ['ablations, norm: l2, eps: [1], questions: { q: { a: { use: pgd } } }', 'norm must be linf or l0, but norm is "l2"'],
    ['ablations, norm: linf, eps: [1], questions: { q: {} }', 'but questions.q is {}'],
    ['ablations, norm: linf, eps: [1], questions: { q: { a: { use: pgd, spikes: 3 } } }', 'but questions.q.a.spikes is 3'],
    ['hardened, spikes: [pdsg]', 'but spikes is ["pdsg"]'],
    ['hardened, stpes: 3', 'part hardened has no option "stpes"'],
  ])('%s', (part, complaint) => {
    expect(refused(part).message).toContain(complaint);
  });

  it('a misspelt option is met with the nearest', () => {
    expect(refused('sparse, elemets: 100, attacks: [sda, scg]').remedy).toContain('did you mean "elements"?');
  });

  it('an attack that is not there is refused with the part that names it', () => {
    const text = study('sparse, elements: 10000, attacks: [sda, sgc]');
    expect(() => planStudy(parseStudy(text, 'study.yaml'), { seq: 'seq' })).toThrow(/^part sparse: .*"sgc"/);
  });

  it('the studies that come with provoke are taken', () => {
    for (const name of ['quick', 'full']) {
      const text = readFileSync(new URL(`../../../examples/spiking/${name}.yaml`, import.meta.url), 'utf8');
      expect(parseStudy(text, name).parts.length).toBeGreaterThan(2);
    }
  });
});
