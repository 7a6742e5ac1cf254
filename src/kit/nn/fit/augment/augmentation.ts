/** @file What an augmentation is: a pure function from a sample, a random stream and options to a sample of the same label. */
import { type Stream, stream } from '../../../../core/tensor/random.ts';
import type { InputSpec, Inputs } from '../../../model/model.ts';
import { type Configurable, type Options, readOptions } from '../../../options.ts';
import { boxValues } from '../../../threat/elements.ts';

export interface AugmentationFamily<O extends Options = Options> extends Configurable<O> {
  readonly title: string;
  readonly about: Readonly<Record<keyof O & string, string>>;
  /** Whether it means anything for such an input; others are left as they are. */
  suits(spec: InputSpec): boolean;
  /**
   * New values of one input, row-major in spec.shape; `values` is not written to, and may be returned. Values outside the input's bounds are clipped afterwards.
   * All inputs of a sample are given equal streams, so that what is flipped or shifted stays aligned; noise forks them by `input`.
   */
  apply(values: Float32Array, spec: InputSpec, random: Stream, options: O, input: string): Float32Array;
}

/** A family with its options fixed. */
export interface Augmentation {
  readonly name: string;
  readonly options: Options;
  suits(spec: InputSpec): boolean;
  apply(inputs: Inputs, specs: Readonly<Record<string, InputSpec>>, random: () => Stream): Inputs;
}

/** Fixes the options of a family over its defaults. Throws a UserError for an unknown option and for a value that cannot be used. */
export function augmentation<O extends Options>(
  family: AugmentationFamily<O>,
  given: Readonly<Record<string, unknown>> = {},
): Augmentation {
  const options = readOptions(family, given);
  return {
    name: family.name,
    options,
    suits: (spec) => family.suits(spec),
    apply: (inputs, specs, random) =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, values]) => {
          const spec = specs[name]!;
          return [name, family.suits(spec) ? within(spec, values, family.apply(values, spec, random(), options, name)) : values];
        }),
      ),
  };
}

/** All augmentations one after the other, each with a stream keyed by seed, sample, pass and its place in the list. */
export function augmented(
  list: readonly Augmentation[],
  sample: { readonly id: string; readonly inputs: Inputs },
  specs: Readonly<Record<string, InputSpec>>,
  { seed, pass }: { readonly seed: number; readonly pass: number },
): Inputs {
  return list.reduce(
    (inputs, step, i) => step.apply(inputs, specs, () => stream(seed, sample.id, 'augment', pass, i, step.name)),
    sample.inputs,
  );
}

/** `values` clipped to the bounds, in place unless they are the original's. */
function within(spec: InputSpec, original: Float32Array, values: Float32Array): Float32Array {
  if (spec.bounds === 'unbounded' || values === original) return values;
  const { lower, upper } = boxValues(spec);
  for (let i = 0; i < values.length; i++) values[i] = Math.min(upper[i]!, Math.max(lower[i]!, values[i]!));
  return values;
}
