/** An attack of one's own in provoke's frame: gradient steps outwards while the model is right, back towards the original while it is fooled. */
import { drive, gradients, jointOf } from 'provoke/attacks';
import { crossEntropy, leadOf } from 'provoke/kit';

const lengthOf = (v) => Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));

export default {
  name: 'out-and-back',
  title: 'smallest l2 change: out by the gradient, back by a factor',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l2'],
  modalities: 'any',
  targeted: true,
  defaults: { steps: 60, share: 0.2, shrink: 0.95 },
  about: {
    steps: 'points looked at',
    share: 'length of a step outwards, as a share of the largest budget',
    shrink: 'what is left of the change after a step back',
  },
  passes: ({ steps }) => ({ forwards: steps, backwards: steps }),
  paper: 'none: an example',
  run: (job, { steps, share, shrink }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt({ goal, space }) {
        let u = new Float32Array(space.n);
        for (let k = 0; k < steps; k++) {
          const { gradient, logits } = yield* gradients([u], [crossEntropy(goal)], k / steps);
          const [g] = gradient;
          const length = lengthOf(g);
          if (leadOf(goal, logits[0]) < 0) u = u.map((value) => shrink * value);
          else if (length > 0) u = space.clip(u.map((value, i) => value + (share * space.eps * g[i]) / length));
          else return;
        }
      },
    }),
};
