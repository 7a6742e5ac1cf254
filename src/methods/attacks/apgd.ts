/**
 * Auto-PGD: projected ascent with momentum that needs no step length; it halves its own where the loss stops rising, and goes on from the best point.
 * Papers: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020 (linf, l2, losses);
 * the same, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", ICML 2021 (l1). Facts of the released code: commit a392200.
 * Threat model: white box; linf, l2 and l1, each input its own. In l1 the budget sinks from 3 to 2 to 1 eps over 30, 30 and 40 % of the steps; what is
 * found outside eps is not counted.
 * Deviations: bounds are the model's, not 0 and 1 (l1 starts: normal numbers over an element's range; without bounds as sparse-pace.ts says); the mean of
 * several draws decides, not the loss of the last; targets are ranked once by the original's logits; a sample leaves at its first success
 * unless earlyStop is false, and then the success with the largest margin is kept, not the last one. A goal that is a class has one target: that class.
 * In mode reference the loss after the first step is compared with 0 where the released code reads before the begin of its list of losses; ours
 * compares it with the loss of the start. Both count it in the first checkpoint only.
 */
import { UserError } from '../../core/errors.ts';
import { fewestClasses } from '../../kit/losses/heads.ts';
import { crossEntropy, type Goal, type Loss } from '../../kit/losses/loss.ts';
import { firstOf, oneOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { autoAscent } from './auto-ascent.ts';
import { drive } from './frame/drive.ts';
import { productOf } from './frame/product.ts';
import { type Answer, logits, type Question } from './frame/question.ts';
import type { Part } from './frame/space.ts';
import { halving } from './halving-pace.ts';
import { losses as common } from './option-checks.ts';
import type { Gait } from './pacer.ts';
import { leadOver, rivalsOf } from './rivals.ts';
import { sparse } from './sparse-pace.ts';

const defaults = { loss: 'ce', steps: 100, restarts: 1, rho: 0.75, targets: 9, draws: 1, earlyStop: true, mode: 'ours' };

interface Maximised {
  /** Fewest classes it is defined for, and what to use below. */
  readonly classes: number;
  readonly instead: string;
  /** Runs once for each of several other classes. */
  readonly towards: boolean;
  loss(goal: Goal, target: number, classes: number): Loss;
}

const losses: Readonly<Record<string, Maximised>> = {
  ce: { classes: 2, instead: 'a model that tells classes apart', towards: false, loss: crossEntropy },
  dlr: {
    classes: fewestClasses.dlr,
    instead: 'loss: margin',
    towards: false,
    loss: (goal) => (goal.kind === 'targeted' ? { label: goal.target, dlr: -1 } : { label: goal.label, dlr: 1 }),
  },
  targeted: {
    classes: fewestClasses.targetedDlr,
    instead: 'loss: targeted-margin',
    towards: true,
    loss: ({ label }, target) => ({ label, target, targetedDlr: 1 }),
  },
  margin: { classes: 2, instead: 'a model that tells classes apart', towards: false, loss: common.margin! },
  'targeted-margin': {
    classes: 2,
    instead: 'a model that tells classes apart',
    towards: true,
    loss: ({ label }, target, classes) => leadOver(label, target, classes),
  },
};

export const apgd: Attack<'gradient', typeof defaults> = {
  name: 'apgd',
  title: 'ascent with momentum that sets its own step length',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2', 'l1'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    loss: 'ce (cross-entropy), dlr (difference of logits ratio, 3 classes or more), targeted (the same towards several classes, 4 or more), margin or targeted-margin (differences of logits)',
    steps: 'gradient steps of each run',
    restarts: 'random starts tried while a sample still stands, for each target',
    rho: 'share of steps that must raise the loss for the step length to stay (linf, l2)',
    targets: 'most other classes that targeted losses try, likeliest first',
    draws: 'gradients averaged at every point, for models that draw random numbers',
    earlyStop: 'stop at the first success; false walks a run to its end and keeps the success with the largest margin',
    mode: 'ours, or reference: with the original code its first comparison of losses',
  },
  check: ({ loss, steps, restarts, rho, targets, draws, mode }) =>
    firstOf(
      oneOf(Object.keys(losses), 'loss', loss),
      wholeFrom(1, 'steps', steps),
      wholeFrom(1, 'restarts', restarts),
      positive('rho', rho),
      wholeFrom(1, 'targets', targets),
      wholeFrom(1, 'draws', draws),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  admit: ({ loss }, { classes }) => refuseFewClasses(loss, classes),
  passes({ loss, steps, restarts, targets, draws }, { classes, norms }) {
    const { towards } = losses[loss]!;
    const runs = restarts * (towards ? Math.min(targets, classes - 1) : 1);
    const backwards = runs * draws * (steps + (norms.includes('l1') ? stagesOf(steps).length : 1));
    return { forwards: backwards + (towards ? 1 : 0), backwards };
  },
  paper: 'Croce and Hein 2020, arXiv 2003.01690; 2021, arXiv 2103.01208',
  async run(job, { loss, steps, restarts, rho, targets, draws, earlyStop, mode }) {
    const { classes } = job.oracle;
    const maximised = losses[loss]!;
    refuseFewClasses(loss, classes);
    return drive(job, {
      space: productOf,
      keep: earlyStop ? 'first' : 'widest',
      *attempt({ goal, space, random, best }) {
        const aims = maximised.towards ? yield* aimsOf(goal, space.n, targets) : [goal.label];
        const stages = space.parts.some((part) => part.threat.norm === 'l1') ? stagesOf(steps) : [{ grown: 1, steps }];
        const whole = aims.length * restarts * steps;
        let walked = 0;
        for (let run = 0; run < aims.length * restarts && best() === undefined; run++) {
          const stream = random(run);
          const target = aims[Math.floor(run / restarts)]!;
          let u = space.each((part) => gaitOf(part).start(part, stream.fork(part.name)));
          for (const stage of stages) {
            u = yield* autoAscent(
              space,
              space.parts.map((part) => gaitOf(part).pacer(part, { ...stage, rho })),
              u,
              {
                loss: maximised.loss(goal, target, classes),
                steps: stage.steps,
                draws,
                scouting: stage.grown > 1,
                fromZero: mode === 'reference',
                done: (step) => (walked + step) / whole,
              },
            );
            walked += stage.steps;
          }
        }
      },
    });
  },
};

const gaitOf = ({ threat }: Part): Gait => (threat.norm === 'l1' ? sparse : halving);

/** The other classes, likeliest at the original first; of a goal that is a class, that class. */
function* aimsOf(goal: Goal, n: number, targets: number): Generator<Question, number[], Answer> {
  if (goal.kind === 'targeted') return [goal.target];
  const [clean] = yield* logits([new Float32Array(n)]);
  return rivalsOf(goal.label, clean!).slice(0, targets);
}

/** Budgets over eps, and the steps spent in each, in l1. */
function stagesOf(steps: number): readonly { readonly grown: number; readonly steps: number }[] {
  const third = Math.ceil(0.3 * steps);
  if (steps < 3) return [{ grown: 1, steps }];
  return [
    { grown: 3, steps: third },
    { grown: 2, steps: third },
    { grown: 1, steps: steps - 2 * third },
  ];
}

function refuseFewClasses(loss: string, classes: number): void {
  const { classes: fewest, instead } = losses[loss]!;
  if (classes >= fewest) return;
  throw new UserError(`apgd: the loss ${loss} needs at least ${fewest} classes, the model has ${classes}`, `use ${instead}`);
}
