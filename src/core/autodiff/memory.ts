/** @file What a gradient graph remembers of one evaluation in the next: float32 values per sample, in as an input and out as an output. */
import { UserError } from '../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { elementType } from '../onnx/dtypes.ts';
import type { Dim } from '../onnx/graph.ts';
import type { ShapeEntry } from '../onnx/passes/shapes.ts';

/** A number for each element of some value of the graph. Whoever runs the graph feeds what the run before gave, or `initial` everywhere at first. */
export interface Memory {
  /** The same in all gradients of one graph, whatever is differentiated. */
  readonly key: string;
  readonly input: string;
  readonly output: string;
  /** Sizes; that of the batch is null where it is free. */
  readonly dims: readonly (number | null)[];
  /** Axis of the batch. */
  readonly batch: number;
  readonly initial: number;
}

/** What a rule asks to remember: a number for each element of the value `like`. */
export interface Remembered {
  readonly key: string;
  readonly like: string;
  readonly batch: number;
  readonly initial: number;
}

/** Reads what was remembered, and says what is to be: `before` has the dtype of `like`'s graph, so has what `become` is given. */
export interface Recollection {
  readonly before: string;
  become(value: string): void;
}

export interface MemoryContext {
  readonly g: GraphBuilder;
  shape(name: string): Pick<ShapeEntry, 'dims' | 'batchAxes'>;
  /** Sizes as an input declares them: the batch by its name. */
  declared(name: string): readonly Dim[];
}

/**
 * How rules of a graph remember; every memory is added to `memories`. Throws a UserError where the value has a size that only a run tells, or a batch axis
 * that holds more than the batch.
 */
export const remembering =
  ({ g, shape, declared }: MemoryContext, memories: Memory[]) =>
  ({ key, like, batch, initial }: Remembered, dtype: 'float32' | 'float64'): Recollection => {
    const { dims, batchAxes = [] } = shape(like);
    const open = dims.findIndex((d, axis) => d === null && !(axis === batch && batchAxes.includes(axis)));
    if (open >= 0)
      throw new UserError(
        `the size of "${like}" along axis ${open} is known only when the model runs, and what is remembered of it would fit no other run`,
        'choose a stand-in without a memory, or export the model with fixed sizes but for the batch',
      );
    const named = declared(like);
    const input = g.input(g.fresh('remembered'), named, 'float32');
    const wide = dtype === 'float64';
    return {
      before: wide ? g.op('Cast', [input], { to: elementType('float64') }) : input,
      become(value) {
        const next = wide ? g.op('Cast', [value], { to: elementType('float32') }) : value;
        memories.push({ key, input, output: g.output(next, named, 'float32'), dims, batch, initial });
      },
    };
  };

/** In a body, which runs more than once, nothing can be remembered. */
export function refuseMemory({ like }: Remembered): never {
  throw new UserError(
    `"${like}" lies inside a Loop, a Scan or an If, whose turns cannot remember what they were in another run`,
    'choose a stand-in without a memory, or export the model with its steps written out',
  );
}
