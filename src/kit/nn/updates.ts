/** @file The second half of a step: from gradients to the next state. Norm, clipping, the optimiser's rule, statistics, moving averages. */
import type { GraphBuilder } from '../../core/onnx/builder.ts';
import type { StateLinks } from '../../core/runtime/stepper.ts';
import { sizeOf, type Tensor, zeros } from '../../core/tensor/tensor.ts';
import { inverseOf, permuted } from '../../core/tensor/transpose.ts';
import { averageDecay, averageOf } from './averages.ts';
import { type Step, type StepOptions, stepNames } from './step-terms.ts';

interface UpdateScene extends StepOptions {
  /** Every option of the optimiser. */
  readonly settings: StepOptions['optimiser']['defaults'];
  readonly parameters: readonly string[];
  /** What each statistic becomes. */
  readonly statistics: ReadonlyMap<string, string>;
  /** First values of parameters and statistics. */
  readonly first: ReadonlyMap<string, Tensor>;
  readonly gradientOf: Readonly<Record<string, string>>;
  /** Parameters the graph holds with their axes in another order, and that order. */
  readonly held: ReadonlyMap<string, readonly number[]>;
}

/** Ties an input that is state to its next value; `like` is the parameter or statistic it has the axes of. */
type Link = (input: string, next: string, first: Tensor, like: string) => void;

/** Scalars of a step by the name the optimiser knows them by: the inputs they are fed to. */
const inputOf = (number: string): string => `step_${number}`;

/** Writes the next value of everything that is state, as outputs. */
export function writeUpdates(u: GraphBuilder, scene: UpdateScene): Pick<Step, 'links' | 'numbersOf' | 'gradients'> {
  const { parameters, statistics, first, gradientOf, held } = scene;
  const numbersOf = stepNumbers(scene);
  for (const number of Object.keys(numbersOf(1, 1))) u.input(number, []);
  const links: Record<string, StateLinks[string]> = {};
  const link: Link = (input, next, from, like) => {
    const order = held.get(like);
    const dims = heldDims(scene, like);
    links[input] = {
      next: u.output(next, dims),
      first: from as Tensor<'float32'>,
      ...(order === undefined ? {} : { held: order }),
    };
    if (scene.ema === undefined || input !== like) return;
    link(averageOf(input), mix(u, u.input(averageOf(input), dims), next), from, like);
  };

  const squared = parameters.map((name) => ({ name: gradientOf[name]!, dims: heldDims(scene, name) }));
  const norm = u.output(globalNorm(u, squared), []);
  const shown: Record<string, string> = {};
  if (scene.outputs === 'gradients') {
    for (const name of parameters) {
      const order = held.get(name);
      shown[name] = order === undefined ? gradientOf[name]! : u.op('Transpose', [gradientOf[name]!], { perm: inverseOf(order) });
      u.output(shown[name], first.get(name)!.dims);
      link(name, u.op('Identity', [name]), first.get(name)!, name);
    }
  } else writeOptimiser(u, scene, norm, link);
  for (const [name, value] of statistics) link(name, value === name ? u.op('Identity', [name]) : value, first.get(name)!, name);
  if (statistics.size > 0) u.output(sumOfAll(u, [...statistics.values()]), []);
  return { links, numbersOf, gradients: shown };
}

function stepNumbers({ optimiser, settings, ema, emaWarmup = true, outputs }: UpdateScene): Step['numbersOf'] {
  return (step, rate) => {
    const numbers = {
      ...(outputs === 'gradients' ? {} : optimiser.numbers(step, rate * settings.lr, settings)),
      ...(ema === undefined ? {} : { average: averageDecay(step, ema, emaWarmup) }),
    };
    return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [inputOf(name), value]));
  };
}

/** The optimiser's rule for every parameter, on gradients clipped as torch.nn.utils.clip_grad_norm_ does: times min(1, clip / (norm + 1e-6)). */
function writeOptimiser(u: GraphBuilder, scene: UpdateScene, norm: string, link: Link): void {
  const { parameters, optimiser, settings, clip, first, gradientOf } = scene;
  const numbers = Object.fromEntries(
    Object.keys(optimiser.numbers(1, settings.lr, settings)).map((name) => [name, inputOf(name)]),
  );
  const scale = clip === undefined ? undefined : clipping(u, norm, clip);
  for (const parameter of parameters) {
    const from = first.get(parameter)!;
    const dims = heldDims(scene, parameter);
    const gradient = scale === undefined ? gradientOf[parameter]! : u.op('Mul', [gradientOf[parameter]!, scale]);
    const slots = optimiser.slots.map((slot) => u.input(`${parameter}/${slot}`, dims));
    const next = optimiser.write({ g: u, parameter, gradient, dims, slots, numbers }, settings);
    link(parameter, next.parameter, from, parameter);
    for (const [i, slot] of slots.entries()) link(slot, next.slots[i]!, zeros('float32', from.dims), parameter);
  }
}

const clipping = (u: GraphBuilder, norm: string, clip: number): string =>
  u.op('Min', [u.number(1), u.op('Div', [u.number(clip), u.op('Add', [norm, u.number(1e-6)])])]);

/**
 * sqrt(sum of all squares), summed within rows first: float32 adds few numbers more exactly than millions, and rows run on all threads. Squares of gradients
 * above 1e19 are infinite in float32: such a step counts as not finite.
 */
const globalNorm = (
  u: GraphBuilder,
  gradients: readonly { readonly name: string; readonly dims: readonly number[] }[],
): string => {
  const squares = gradients.map(({ name, dims }) => {
    const rows = u.op('ReduceSumSquare', [name, u.ints(rowAxes(dims))], { keepdims: 0 });
    return u.op('Reshape', [rows, u.ints([-1])]);
  });
  return u.op('Sqrt', [u.op('ReduceSum', [u.op('Concat', squares, { axis: 0 })], { keepdims: 0 })], {}, stepNames.norm);
};

/** The last axes, as many as hold at most 8192 elements together; at least one, of a scalar none. */
function rowAxes(dims: readonly number[]): number[] {
  const axes = dims.map((_, axis) => axis);
  return axes.filter((axis) => axis === dims.length - 1 || (axis > 0 && sizeOf(dims.slice(axis)) <= 8192));
}

/** d old + (1 - d) value, as old + (1 - d) (value - old). */
const mix = (u: GraphBuilder, old: string, value: string): string =>
  u.op('Add', [old, u.op('Mul', [u.op('Sub', [u.number(1), inputOf('average')]), u.op('Sub', [value, old])])]);

/** A number that is finite where all elements of these (one axis each) are. */
const sumOfAll = (u: GraphBuilder, values: readonly string[]): string =>
  u.op('ReduceSum', [u.op('Concat', values, { axis: 0 })], { keepdims: 0 }, stepNames.statistics);

/** Sizes of a parameter or statistic as the graph holds it. */
function heldDims({ first, held }: UpdateScene, name: string): readonly number[] {
  const { dims } = first.get(name)!;
  const order = held.get(name);
  return order === undefined ? dims : permuted(dims, order);
}
