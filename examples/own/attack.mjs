/** An attack of one's own: random search. Draws perturbations of the full budget until one fools the model. It reads scores only. */

/** How far the goal is missed: negative once it is reached. */
function miss(goal, logits) {
  const rival = (not) => Math.max(...logits.filter((_, c) => c !== not));
  return goal.kind === 'targeted' ? rival(goal.target) - logits[goal.target] : logits[goal.label] - rival(goal.label);
}

export default {
  name: 'random-search',
  title: 'random perturbations of the full budget until one fools the model',
  needs: 'scores',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  targeted: true,
  defaults: { tries: 50 },
  about: { tries: 'random perturbations per sample' },
  check: ({ tries }) => (Number.isInteger(tries) && tries > 0 ? undefined : 'tries must be a whole number, 1 or more'),
  passes: ({ tries }) => ({ forwards: tries, backwards: 0 }),
  paper: 'none: an example',
  async run({ oracle, batch, goals, threats, random, signal, progress }, { tries }) {
    const streams = batch.map((_, i) => random(i, 0));
    const best = batch.map(() => ({ miss: 0, inputs: undefined }));
    for (let t = 0; t < tries; t++) {
      signal.throwIfAborted();
      const open = batch.map((_, i) => i).filter((i) => best[i].inputs === undefined);
      if (open.length === 0) break;
      const probes = open.map((of) => ({ of, inputs: moved(batch[of], threats[of], streams[of]) }));
      const logits = await oracle.logits(probes);
      probes.forEach((probe, k) => {
        const value = miss(goals[probe.of], logits[k]);
        if (value < best[probe.of].miss) best[probe.of] = { miss: value, inputs: probe.inputs };
      });
      progress(t + 1, tries);
    }
    return best.map(({ inputs }) => (inputs === undefined ? { status: 'failure' } : { status: 'success', inputs }));
  },
};

/** The sample with a random step of length eps added to every attacked input, brought back inside budget and bounds. */
function moved(sample, threats, stream) {
  const inputs = { ...sample.inputs };
  for (const [name, threat] of Object.entries(threats)) {
    const x = sample.inputs[name];
    const delta = threat.project(x, threat.step(threat.random(stream), threat.eps));
    inputs[name] = x.map((value, i) => value + delta[i]);
  }
  return inputs;
}
