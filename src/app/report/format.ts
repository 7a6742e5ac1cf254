/** @file Numbers as people read them. */
import { sizeOf } from '../../core/tensor/tensor.ts';
import type { InputSpec } from '../../kit/model/model.ts';
import type { Eps, Norms } from '../../kit/record/summary.ts';
import type { Norm } from '../../kit/threat/threat.ts';

export { interval, percent } from '../../kit/metrics/rate-words.ts';

/** How norms are written. */
export const normName: Readonly<Record<Norm, string>> = { linf: 'L∞', l2: 'L2', l1: 'L1', l0: 'L0' };

/** The norm of one input. */
export const normFor = (norm: Norms, input: string): Norm => (typeof norm === 'string' ? norm : norm[input]!);

/** What two measures have in common that are one. */
export const normKey = (norm: Norms): string => (typeof norm === 'string' ? norm : byName(norm, (one) => one));

/** A norm as it is written; "name norm" for each input where they differ. */
export const normText = (norm: Norms): string =>
  typeof norm === 'string' ? normName[norm] : byName(norm, (one) => normName[one]);

const byName = <T>(map: Readonly<Record<string, T>>, text: (value: T, name: string) => string): string =>
  Object.entries(map)
    .map(([name, value]) => `${name} ${text(value, name)}`)
    .join(', ');

/** Up to `digits` significant digits but never fewer than the whole part has, no trailing zeros, large counts grouped. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7))
    return value
      .toExponential(digits - 1)
      .replace('e+', 'e')
      .replace('e', ' × 10^');
  return count(size >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits)));
}

/** A number with a thin space between thousands. */
export function count(value: number): string {
  const [whole = '', rest] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

/** 20 ms, 4.5 s, 3 min 20 s, 2 h 05 min. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${number(1000 * seconds, 2)} ms`;
  if (seconds < 60) return `${number(seconds, 2)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (count: number): string => String(count % 60).padStart(2, '0');
  return minutes < 60 ? `${minutes} min ${two(whole)} s` : `${Math.floor(minutes / 60)} h ${two(minutes)} min`;
}

/** Whether the input holds 8-bit values scaled to 0..1, so that budgets are best read in steps of 1/255. */
const isEightBit = (spec: InputSpec | undefined): boolean =>
  spec !== undefined &&
  spec.storage === 'uint8' &&
  spec.bounds !== 'unbounded' &&
  spec.bounds.lower === 0 &&
  spec.bounds.upper === 1;

/** A budget in one input's units: the largest change of an 8-bit value as k/255, where that is exact. */
function exact(value: number, norm: Norm, spec: InputSpec | undefined): string {
  if (norm === 'linf' && isEightBit(spec)) {
    const near = Math.round(value * 25500) / 100;
    if (Math.abs(value * 255 - near) < 1e-4) return `${near}/255`;
  }
  return number(value, 6);
}

/** A measured size in one input's units, rounded; the largest change of an 8-bit value as k/255. */
export const size = (value: number, norm: Norm, spec: InputSpec | undefined): string =>
  norm === 'linf' && isEightBit(spec) ? `${Number((value * 255).toPrecision(3))}/255` : number(value);

type Inputs = Readonly<Record<string, InputSpec>>;

/** The only attacked input, where a number stands without a name. */
const only = (inputs: Inputs): [string, InputSpec] => Object.entries(inputs).find(([, spec]) => spec.role === 'attacked')!;

/** A budget: one number, or "name number" for each of several inputs. */
export function epsText(eps: Eps, norm: Norms, inputs: Inputs): string {
  if (typeof eps !== 'number') return byName(eps, (value, name) => exact(value, normFor(norm, name), inputs[name]));
  const [name, spec] = only(inputs);
  return exact(eps, normFor(norm, name), spec);
}

/** A budget with its norm in front: of each input where they differ. */
export function budgetText(eps: Eps, norm: Norms, inputs: Inputs): string {
  if (typeof norm === 'string' || typeof eps === 'number') return `${normText(norm)} ${epsText(eps, norm, inputs)}`;
  return byName(eps, (value, name) => `${normName[norm[name]!]} ${exact(value, norm[name]!, inputs[name])}`);
}

/** A mean size, rounded: one number, or "name number" for each of several inputs. */
export function sizeText(sizes: Eps, norm: Norms, inputs: Inputs): string {
  if (typeof sizes !== 'number') return byName(sizes, (value, name) => size(value, normFor(norm, name), inputs[name]));
  const [name, spec] = only(inputs);
  return size(sizes, normFor(norm, name), spec);
}

/** Whether a value is 0 or 1 and nothing else: a change of it is a flip. */
const isBinary = (spec: InputSpec | undefined): spec is InputSpec => spec?.domain === 'binary';

/** What a value of a binary input is called, in the plural. */
const binaryNoun = (spec: InputSpec): string => (spec.modality === 'events' ? 'pixels' : 'values');

/** A number of changed values of one input; of binary ones with the share that is. */
export function changedValues(n: number, spec: InputSpec | undefined): string {
  if (!isBinary(spec)) return `${count(n)} values`;
  return `${number(n)} ${binaryNoun(spec)}, ${shareOf(n, spec)}`;
}

/** A number of values as a share of all of an input, e.g. 0.061%. */
export const shareOf = (n: number, spec: InputSpec): string => `${number((100 * n) / sizeOf(spec.shape), 2)}%`;

const nouns: Readonly<Record<InputSpec['modality'], string>> = {
  image: 'images',
  video: 'clips',
  audio: 'clips',
  skeleton: 'sequences',
  physiology: 'recordings',
  events: 'event streams',
  features: 'samples',
};

/** What the samples of these inputs are called, in the plural. */
export function nounOf(inputs: Readonly<Record<string, InputSpec>>): string {
  const attacked = Object.values(inputs).filter((spec) => spec.role === 'attacked');
  return attacked.length === 1 ? nouns[attacked[0]!.modality] : 'samples';
}

/** A budget in plain words, at the start of a sentence; `eps` is what the label says. */
export function budgetWords(label: string, norm: Norms, inputs: Inputs, eps?: Eps): string {
  if (typeof norm !== 'string') return `A change of at most ${label}`;
  const attacked = Object.values(inputs).filter((spec) => spec.role === 'attacked');
  const single = attacked.length === 1 ? attacked[0]! : undefined;
  const each = single?.modality === 'image' || single?.modality === 'video' ? 'pixel' : 'value';
  if (norm === 'linf') return `A change of at most ${label} per ${each}`;
  if (norm === 'l0' && isBinary(single) && typeof eps === 'number')
    return `Flipping at most ${count(eps)} of ${count(sizeOf(single.shape))} ${binaryNoun(single)} (${shareOf(eps, single)})`;
  if (norm === 'l0') return `Changing at most ${label} values`;
  return `A change of ${normName[norm]} norm at most ${label}`;
}
