import { describe, expect, it } from 'vitest';
import { attackNamed, attacks, readOptions } from '../../../src/methods/attacks/registry.ts';

describe('the registry', () => {
  it.each(Object.entries(attacks))('%s: name, described options and defaults that pass its own check', (name, attack) => {
    expect(attack.name).toBe(name);
    expect(Object.keys(attack.about).sort()).toEqual(Object.keys(attack.defaults).sort());
    expect(readOptions(attack, {})).toEqual(attack.defaults);
    // what is a default can be written, too
    expect(readOptions(attack, attack.defaults)).toEqual(attack.defaults);
    expect(attack.norms.length).toBeGreaterThan(0);
  });

  it('suggests the nearest name', () => {
    expect(attackNamed('pgd')).toBe(attacks.pgd);
    expect(() => attackNamed('pdg')).toThrow(expect.objectContaining({ remedy: expect.stringMatching(/did you mean "pgd"/) }));
    expect(() => attackNamed('toString')).toThrow(/no attack "toString"/);
  });
});

describe('options', () => {
  const pgd = attackNamed('pgd');

  it("overlay the defaults; text is read as the default's type, fractions as numbers", () => {
    const given = { steps: '7', alpha: '2/255', randomStart: 'false', restarts: 1, loss: 'margin' };
    expect(readOptions(pgd, given)).toEqual({
      ...pgd.defaults,
      steps: 7,
      alpha: 2 / 255,
      randomStart: false,
      loss: 'margin',
    });
    expect(readOptions(pgd, { alpha: 'auto' }).alpha).toBe('auto');
  });

  it.each([
    [{ stpes: 3 }, /pgd has no option "stpes"/, /did you mean "steps"/],
    [{ steps: 0 }, /steps is 0/, /gradient steps/],
    [{ steps: 2.5 }, /steps is 2\.5/, /./],
    [{ steps: 'many' }, /pgd\.steps is "many"/, /./],
    [{ steps: true }, /pgd\.steps is true/, /./],
    [{ alpha: 0 }, /alpha is 0/, /./],
    [{ alpha: -1 }, /pgd\.alpha is -1/, /./],
    [{ alpha: 'fast' }, /pgd\.alpha is "fast"/, /./],
    [{ randomStart: 1 }, /pgd\.randomStart is 1, but must be a boolean/, /./],
    [{ loss: 'dice' }, /loss is "dice"/, /./],
    [{ loss: 3 }, /pgd\.loss is 3, but must be a string/, /./],
    [{ restarts: 2, randomStart: false }, /every restart is the same/, /./],
  ])('%j is refused', (given, message, remedy) => {
    expect(() => readOptions(pgd, given)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), remedy: expect.stringMatching(remedy) }),
    );
  });

  it('an attack without options says so', () => {
    expect(() => readOptions(attackNamed('noise'), { eps: 1 })).toThrow(
      expect.objectContaining({ remedy: 'noise has no options' }),
    );
  });
});
