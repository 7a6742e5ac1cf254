import { fraction } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';

const defaults = { p: 0.1 };

/** Every event of binary frames is lost with a probability drawn once per sample, uniform in 0 .. p (Gu et al. 2021, arXiv 2106.05836, its random drop). */
export const eventDrop: AugmentationFamily<typeof defaults> = {
  name: 'event-drop',
  title: 'some events missing (binary events)',
  defaults,
  about: { p: 'largest share of the events that goes' },
  check: ({ p }) => fraction('p', p),
  suits: ({ modality, domain }) => modality === 'events' && domain === 'binary',
  apply(values, _, random, { p }, input) {
    const own = random.fork(input);
    const share = p * own.uniform();
    return values.map((v) => (v !== 0 && own.uniform() < share ? 0 : v));
  },
};
