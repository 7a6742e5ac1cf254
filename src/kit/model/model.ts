/** @file A model as attacks see it: a prepared graph, and what its inputs and outputs mean. Bounds, preprocessing and class names belong here; attacks never guess. */
import type { FloatCopy } from '../../core/autodiff/float-copy.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { RandomKind } from '../../core/onnx/passes/random-inputs.ts';
import type { ShapeTable } from '../../core/onnx/passes/shapes.ts';
import type { Spiking } from '../../core/spikes/layer.ts';
import { type DType, sizeOf } from '../../core/tensor/tensor.ts';
import type { EventClip } from '../data/events/stream.ts';

export type Modality = 'image' | 'video' | 'audio' | 'skeleton' | 'physiology' | 'events' | 'features';

/** Lower and upper end of what an input may hold: for all elements, or per channel. */
export interface Bounds {
  readonly lower: number | readonly number[];
  readonly upper: number | readonly number[];
}

/** How an input is kept on disk, and so what an example is rounded to. */
export type Storage = 'uint8' | 'pcm16' | 'float32' | 'binary';

export interface InputSpec {
  /** Sizes of one sample, without the batch axis. */
  readonly shape: readonly number[];
  /** A letter for every axis of the graph's input, the batch included, e.g. NCHW, NTC, TNC: N batch, C channel, T time, H and W space. */
  readonly layout: string;
  readonly dtype: DType;
  readonly modality: Modality;
  /** What a value measures, e.g. "RGB intensity", "sigma", "volt". */
  readonly unit: string;
  readonly role: 'attacked' | 'given';
  readonly domain: 'continuous' | 'binary' | { readonly levels: number };
  readonly bounds: Bounds | 'unbounded';
  readonly storage: Storage;
}

/** An input of the graph in place of a node that draws random numbers; the oracle feeds it, no attack sees it. */
export interface RandomSpec {
  /** Drawn from N(0, 1), or from U[0, 1). */
  readonly kind: RandomKind;
  /** Sizes of one sample's draw. */
  readonly shape: readonly number[];
  /** As an input's; without N the samples of a run share a draw, so they run apart. */
  readonly layout: string;
  readonly dtype: 'float32';
  /** The node of the file, as messages name it. */
  readonly node: string;
}

export interface Model {
  readonly name: string;
  /** Opset >= 18, constants folded, batch symbolic where that could be proven. */
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** By input name; absent where the model draws no random numbers. */
  readonly randoms?: Readonly<Record<string, RandomSpec>>;
  readonly classes: readonly string[];
  /** The file's own output and what it holds; `logits` names the value of the graph that holds the logits, [N, classes], where that is another one. */
  readonly output: { readonly name: string; readonly kind: 'logits' | 'probabilities'; readonly logits?: string };
  /** Names of the file's own outputs; by default the one above. The graph may have the logits as a further output. */
  readonly outputs?: readonly string[];
  /** 'batch' where the result of one sample depends on its batch mates (batch statistics). */
  readonly coupling: 'none' | 'batch';
  /** Set where the file's batch is fixed and could not be made symbolic: the model runs in groups of this size, padded. */
  readonly fixedBatch?: number;
  /** Sizes and types of the graph's values, where they were found out already; null is a size that depends on the batch. */
  readonly shapes?: ShapeTable;
  /** Where the graph computes in float16 or integers: what its derivative is taken of. Stands for the logits. */
  readonly floatCopy?: FloatCopy;
  /** Its spiking neurons; absent where it has none. */
  readonly spiking?: Spiking;
  /** What was inferred rather than stated, one sentence each: printed before anything runs. */
  readonly inferred: readonly string[];
  /** What the reader should know of the weights: origin, licence, label semantics. */
  readonly note?: string;
  /** sha256 of the bytes the model came from. */
  readonly sha256: string;
}

/** Values of one sample, by input name, row-major in the sample's shape. Integer inputs are carried as numbers too. */
export type Inputs = Readonly<Record<string, Float32Array>>;

export interface Sample {
  readonly id: string;
  /** Clip, speaker, subject or trial the sample belongs to. */
  readonly group: string;
  readonly inputs: Inputs;
  /** Index into the model's classes; undefined where the data have no labels. */
  readonly label?: number;
  /** Where an input may be changed: 1 allowed, 0 not; by input name. */
  readonly mask?: Inputs;
  /** Of inputs made of events: the recording they were binned from. */
  readonly events?: Readonly<Record<string, EventClip>>;
}

/** What can be said of a model without its graph: plain data that may cross to another process. */
export type ModelFacts = Omit<Model, 'graph' | 'shapes' | 'floatCopy'>;

/** Names of the inputs an attack may change. */
export const attackedInputs = (model: Pick<Model, 'inputs'>): string[] =>
  Object.keys(model.inputs).filter((name) => model.inputs[name]!.role === 'attacked');

/** How many numbers of a sample an attack may change. */
export const attackedElements = (model: Pick<Model, 'inputs'>): number =>
  attackedInputs(model).reduce((sum, name) => sum + sizeOf(model.inputs[name]!.shape), 0);

/** Everything a run is fed with: the inputs, and the random draws. */
export const fedSpecs = (model: Pick<Model, 'inputs' | 'randoms'>): Readonly<Record<string, InputSpec | RandomSpec>> =>
  model.randoms === undefined ? model.inputs : { ...model.inputs, ...model.randoms };

/** Name of the graph's output that holds the logits, float32 [N, classes]. */
export const logitsName = (model: Pick<Model, 'output'>): string => model.output.logits ?? model.output.name;

/** Position of an axis in the shape of one sample; -1 where the layout has no such letter. */
export const sampleAxis = ({ layout }: Pick<InputSpec, 'layout'>, letter: string): number =>
  layout.replace('N', '').indexOf(letter);

/** Position of the batch axis in an input's layout, or undefined for an input that all samples of a run share. */
export function batchAxis(spec: Pick<InputSpec, 'layout'>): number | undefined {
  const axis = spec.layout.indexOf('N');
  return axis < 0 ? undefined : axis;
}
