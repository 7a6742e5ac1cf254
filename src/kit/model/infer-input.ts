/** @file What an input is: stated in the manifest where possible, otherwise inferred from the file, and every inference is said. */
import { UserError } from '../../core/errors.ts';
import type { Dim, Value } from '../../core/onnx/graph.ts';
import type { DType } from '../../core/tensor/tensor.ts';
import { isFloat } from './float-input.ts';
import type { ManifestInput } from './manifest.ts';
import { type InputSpec, type Modality, type Storage, sampleAxis } from './model.ts';

export interface InferredInput {
  readonly spec: InputSpec;
  /** Size of the batch axis in the file, a symbol, or undefined where the input has none. */
  readonly batch: Dim | undefined;
  /** One sentence per inference. */
  readonly said: readonly string[];
}

export interface InferInputOptions {
  /** How errors name the model. */
  readonly model: string;
  readonly stated?: ManifestInput;
  /** Sizes of one sample, or of the whole input with any number for the batch. */
  readonly shape?: readonly number[];
  /** Size or symbol of the batch, where the file's outputs tell it. */
  readonly batch?: Dim;
}

/** The specification of one input of the file. Throws a UserError for what can neither be read nor inferred. */
export function inferInput(value: Value, { model, stated = {}, shape, batch = null }: InferInputOptions): InferredInput {
  const { name, dtype, dims } = value;
  const said: string[] = [];
  const say = (sentence: string): number => said.push(`input "${name}": ${sentence}`);
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`${model}: input "${name}" ${what}`, remedy);
  };
  if (dtype === undefined) return refuse('is not a tensor', 'export the model with tensor inputs only');
  if (dtype === 'string') return refuse('holds strings', 'export the model without its text front end');
  if (dims === undefined)
    return refuse('has no rank in the file', 'export the model with typed inputs (a rank at least; sizes may be symbolic)');

  const layout = stated.layout ?? guessLayout(dims, stated.modality, batch);
  if (layout.length !== dims.length)
    return refuse(
      `has ${dims.length} axes, its layout "${layout}" names ${layout.length}`,
      'give one letter per axis in the manifest',
    );
  const at = layout.indexOf('N');
  const sample = dims.filter((_, axis) => axis !== at);
  const sizes = sampleShape(sample, stated.shape ?? shape, at, (what, remedy) => refuse(what, remedy));

  const real = isFloat(dtype);
  const modality =
    stated.modality ?? (isImage(layout, sizes) && (real || dtype === 'uint8' || dims.length === 4) ? 'image' : 'features');
  if (stated.modality === undefined) say(`taken as ${described(modality)} (${dims.length} axes, ${dtype})`);
  if (stated.layout === undefined && dims.length > 0) say(`layout ${layout} assumed`);
  const role = stated.role ?? ((real || modality === 'image') && at >= 0 ? 'attacked' : 'given');
  if (stated.role === undefined && role === 'given')
    say(`held fixed, not attacked (${at < 0 ? 'no batch axis' : `${dtype} values`})`);
  const bounds = stated.bounds ?? guessBounds(modality, dtype);
  if (stated.bounds === undefined && role === 'attacked')
    say(
      bounds === 'unbounded'
        ? 'no bounds assumed'
        : `bounds ${bounds.lower}..${bounds.upper} assumed (${dtype} ${modality} input)`,
    );
  const storage = stated.storage ?? guessStorage(modality, stated.domain);
  if (stated.storage === undefined && role === 'attacked') say(`kept on disk as ${storage}`);
  return {
    spec: {
      shape: sizes,
      layout,
      dtype,
      modality,
      unit: stated.unit ?? units[modality],
      role,
      domain: stated.domain ?? 'continuous',
      bounds,
      storage,
    },
    batch: at < 0 ? undefined : dims[at]!,
    said,
  };
}

/** What a value measures where nobody says. */
export const units: Readonly<Record<Modality, string>> = {
  image: 'pixel intensity',
  video: 'pixel intensity',
  audio: 'amplitude',
  skeleton: 'coordinate',
  physiology: 'signal',
  events: 'event count',
  features: 'feature value',
};

const described = (modality: Modality): string =>
  modality === 'image' ? 'an image' : modality === 'features' ? 'features without further meaning' : modality;

const isColour = (dim: Dim | undefined): boolean => dim === 1 || dim === 3;

const isImage = (layout: string, sizes: readonly number[]): boolean =>
  sizes.length === 3 && ['C', 'H', 'W'].every((axis) => layout.includes(axis)) && isColour(sizes[sampleAxis({ layout }, 'C')]);

/** Letters for axes nobody named: they claim nothing about time or space. */
const plainAxes = 'CDEFGIJKLMOP';

function guessLayout(dims: readonly Dim[], modality: Modality | undefined, batch: Dim): string {
  const rank = dims.length;
  if (rank === 0) return '';
  if (rank === 4 && (modality === undefined || modality === 'image')) {
    if (isColour(dims[1])) return 'NCHW';
    if (isColour(dims[3])) return 'NHWC';
    if (modality === 'image') return 'NCHW';
  }
  if (modality === 'audio' && rank === 2) return 'NT';
  if (modality === 'audio' && rank === 3) return 'NCT';
  if (modality === 'video' && rank === 5) return isColour(dims[1]) ? 'NCTHW' : isColour(dims[4]) ? 'NTHWC' : 'NTCHW';
  const at = batchPosition(dims, batch);
  const others = plainAxes.slice(0, rank - 1);
  return `${others.slice(0, at)}N${others.slice(at)}`;
}

/** The first axis, unless only another one is as long as the batch of the outputs, is called a batch, or is symbolic. */
function batchPosition(dims: readonly Dim[], batch: Dim): number {
  const only = (fits: (dim: Dim) => boolean): number | undefined => {
    const axes = dims.flatMap((d, axis) => (fits(d) ? [axis] : []));
    return axes.length === 1 ? axes[0] : undefined;
  };
  if (batch !== null && dims[0] === batch) return 0;
  return (
    (batch === null ? undefined : only((d) => d === batch)) ??
    only((d) => typeof d === 'string' && /^(n|b|bs|.*batch(_?size)?)$/i.test(d)) ??
    (typeof dims[0] === 'number' ? only((d) => typeof d !== 'number') : undefined) ??
    0
  );
}

function sampleShape(
  dims: readonly Dim[],
  given: readonly number[] | undefined,
  batch: number,
  refuse: (what: string, remedy: string) => never,
): number[] {
  const stated =
    given !== undefined && batch >= 0 && given.length === dims.length + 1 ? given.filter((_, i) => i !== batch) : given;
  if (stated !== undefined && stated.length !== dims.length)
    return refuse(
      `has ${dims.length} axes beside the batch, the shape [${given}] names ${stated.length}`,
      'give the sizes of one sample, or of the whole input',
    );
  return dims.map((dim, axis) => {
    const wanted = stated?.[axis];
    if (typeof dim === 'number') {
      if (wanted !== undefined && wanted !== dim)
        return refuse(
          `has size ${dim} at axis ${axis} of a sample, the stated shape has ${wanted}`,
          `state ${dim}, or export the model with a free size`,
        );
      return dim;
    }
    return (
      wanted ??
      refuse(
        `has a free size${dim === null ? '' : ` "${dim}"`} at axis ${axis} of a sample`,
        'state its shape in the manifest (inputs: { NAME: { shape: [...] } }) or in the experiment (model: { inputShapes: { NAME: [...] } })',
      )
    );
  });
}

function guessBounds(modality: Modality, dtype: DType): InputSpec['bounds'] {
  if (modality === 'image' || modality === 'video') {
    if (dtype === 'int8') return { lower: -128, upper: 127 };
    return { lower: 0, upper: isFloat(dtype) ? 1 : 255 };
  }
  if (modality === 'audio') return { lower: -1, upper: 1 };
  return 'unbounded';
}

function guessStorage(modality: Modality, domain: InputSpec['domain'] | undefined): Storage {
  if (domain === 'binary') return 'binary';
  if (modality === 'image' || modality === 'video') return 'uint8';
  return modality === 'audio' ? 'pcm16' : 'float32';
}
