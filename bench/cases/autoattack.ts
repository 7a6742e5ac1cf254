import { attackNamed } from '../../src/methods/attacks/registry.ts';
import { prepareVictim } from '../autoattack/prepare.ts';
import { type Attacked, openVictim } from '../autoattack/victim.ts';
import { type BenchLine, comparison, interleave } from '../measure.ts';

const settings = { samples: 64, threads: 2, rounds: 3 } as const;

/**
 * AutoAttack (standard, linf) on a net trained against PGD: ours walking to the end of every part as the original does, so that both make about the same
 * passes; and the suite worst-case, which saves passes, against the original's time. Passes are in the case's name.
 */
export async function* autoattackBench(): AsyncGenerator<BenchLine> {
  const { samples, threads, rounds } = settings;
  const { experiment } = await prepareVictim(samples);
  const victim = await openVictim(experiment, threads);
  const peer = await victim.peer();
  const last: { full?: Attacked; worst?: Attacked; theirs?: Attacked } = {};
  let seed = 0;
  const ours = (name: string, options: Record<string, unknown>, keep: 'full' | 'worst') => async () => {
    const made = await victim.attack(attackNamed(name), options, seed);
    last[keep] = made;
    return made.seconds;
  };
  const [full, worst, theirs] = await interleave(rounds, [
    ours('autoattack', { earlyStop: false }, 'full'),
    ours('worst-case', {}, 'worst'),
    ...(peer
      ? [
          async () => {
            const made = JSON.parse(await peer.ask(String(seed++))) as Attacked;
            last.theirs = made;
            return made.seconds;
          },
        ]
      : []),
  ]);
  peer?.close();
  await victim.release();
  const passes = (of: Attacked | undefined): string =>
    of === undefined ? '' : `${of.forwards} forwards, ${of.backwards} backwards`;
  const line = (what: string, ours: readonly number[], mine: Attacked | undefined): BenchLine =>
    comparison(
      { name: 'autoattack', case: `${what}: ${passes(mine)}; original ${passes(last.theirs)}`, unit: 's' },
      [ours, theirs],
      peer?.version ?? null,
    );
  yield line('autoattack, all passes', full!, last.full);
  yield line('worst-case', worst!, last.worst);
}
