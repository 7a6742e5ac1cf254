/** @file A user's minimum-norm attack for the command-line tests. */

/** The smallest change along the gradient of the loss, by bisection over what `threat` allows: exact on linear models up to 2^-20 of the budget. */
export const closestAttack = `export default {
  name: 'closest', title: 'bisection along the gradient', needs: 'gradient', kind: 'minimal', norms: ['linf', 'l2'], modalities: 'any', targeted: false,
  defaults: { turns: 20 }, about: { turns: 'halvings' }, paper: '',
  passes: ({ turns }) => ({ forwards: turns + 2, backwards: 1 }),
  async run({ oracle, batch, goals, threats }, { turns }) {
    const names = Object.keys(threats[0] ?? {});
    const { gradient } = await oracle.gradient(batch.map((s, of) => ({ of, inputs: s.inputs })), goals.map(({ label }) => ({ label, ce: 1 })));
    const at = (of, share) => ({ ...batch[of].inputs, ...Object.fromEntries(names.map((name) => {
      const [x, threat] = [batch[of].inputs[name], threats[of][name]];
      const delta = threat.project(x, threat.step(gradient[of][name], share * threat.eps));
      return [name, x.map((value, i) => value + delta[i])];
    })) });
    const wrong = async (shares) => (await oracle.labels(shares.map((share, of) => ({ of, inputs: at(of, share) })))).map((c, of) => c !== goals[of].label);
    const found = await wrong(batch.map(() => 1));
    const [low, high] = [batch.map(() => 0), batch.map(() => 1)];
    for (let t = 0; t < turns; t++) {
      const middle = low.map((l, of) => (l + high[of]) / 2);
      (await wrong(middle)).forEach((yes, of) => { (yes ? high : low)[of] = middle[of]; });
    }
    return batch.map((_, of) => (found[of]
      ? { status: 'success', inputs: at(of, high[of]), foundAt: 2, trace: { queries: [2, turns + 2], lead: [null, null], best: [1, high[of]] } }
      : { status: 'failure' }));
  },
};
`;
