/** @file Passes over graphs whose nodes carry graphs: results stay what the runtime gives for the file. */
import { describe, expect, it } from 'vitest';
import { type AttributeInput, float, type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { bodiesOf, freeIn, type Graph } from '../../../../src/core/onnx/graph.ts';
import { bindDims } from '../../../../src/core/onnx/passes/bind-dims.ts';
import { plainBodies } from '../../../../src/core/onnx/passes/control-flow/plain-bodies.ts';
import { unroll } from '../../../../src/core/onnx/passes/control-flow/unroll.ts';
import { dropDead } from '../../../../src/core/onnx/passes/drop-dead.ts';
import { foldBatchNorm } from '../../../../src/core/onnx/passes/fold-batch-norm.ts';
import { foldConstants } from '../../../../src/core/onnx/passes/fold-constants.ts';
import { poolBeforeRelu } from '../../../../src/core/onnx/passes/pool-before-relu.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { makeBatchSymbolic } from '../../../../src/core/onnx/passes/symbolic-batch.ts';
import { upgrade } from '../../../../src/core/onnx/passes/upgrade.ts';
import { validate } from '../../../../src/core/onnx/validate.ts';
import { f32, i64, numbersOf, tensor } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf, throughFile } from './compare.ts';

/** A branch, or a body with the given inputs; names are the writer's own affair. */
function body(write: (b: GraphBuilder) => readonly string[], inputs: (b: GraphBuilder) => void = () => {}): AttributeInput {
  const b = graphBuilder({ name: 'body', taken: new Set(['const_0', 'const_1', 'const_2']) });
  inputs(b);
  for (const name of write(b)) b.untypedOutput(name);
  return { type: 'graph', value: { ...b.build(), opsets: new Map() } };
}

function graph(write: (g: GraphBuilder) => void, opset = 18): Graph {
  const g = graphBuilder({ opset });
  write(g);
  return g.build();
}

const positive = (g: GraphBuilder, x: string): string => g.op('Greater', [g.op('ReduceSum', [x], { keepdims: 0 }), 'zero']);
const deepOps = (g: Graph): string[] => g.nodes.flatMap((n) => [n.op, ...bodiesOf(n).flatMap(deepOps)]);

/** Both branches call what they make "h", hold a constant, and one hands on an input of the graph around. */
const branching = graph((g) => {
  g.input('x', [2, 3]);
  g.constant(f32([0], []), 'zero');
  const write = (op: string) =>
    body((b) => [b.op('Identity', [b.op(op, ['x', b.constant(f32([2], []), 'two')], {}, 'h')], {}, 'r')]);
  g.ops('If', [positive(g, 'x')], ['y'], { then_branch: write('Add'), else_branch: write('Mul') });
  g.output('y', [2, 3]);
});

describe('plain bodies', () => {
  it('have names of their own, no constants, and results they compute', async () => {
    const plain = plainBodies(branching);
    const branches = bodiesOf(plain.nodes.at(-1)!);
    expect(branches.map((b) => b.nodes.map((n) => n.outputs[0]))).toEqual([
      ['h', 'r'],
      ['h_1', 'r_1'],
    ]);
    expect(branches.map((b) => b.initializers.size)).toEqual([0, 0]);
    expect(branches.map((b) => [...freeIn(b)])).toEqual([
      ['x', 'two'],
      ['x', 'two_1'],
    ]);
    expect(validate(throughFile(plain))).toEqual([]);
    expect(await difference(branching, throughFile(plain), normalFeeds(branching))).toBe(0);
    expect(plainBodies(plain)).toEqual(plain);
  });

  it('compute anew what they hand on: a constant, and one result twice', async () => {
    const g = graph((b) => {
      b.input('x', [2]);
      b.ops('Loop', [b.constant(i64([3], [])), '', 'x'], ['last', 'all', 'flags'], {
        body: body(
          (l) => {
            const next = l.op('Mul', ['s', 's'], {}, 'next');
            return [l.constant(tensor('bool', [], Uint8Array.of(1)), 'yes'), next, next, 'goes'];
          },
          (l) => {
            l.input('i', [], 'int64');
            l.input('goes', [], 'bool');
            l.input('s', [2]);
          },
        ),
      });
      for (const name of ['last', 'all', 'flags']) b.untypedOutput(name);
    });
    const plain = plainBodies(g);
    const [inside] = bodiesOf(plain.nodes[0]!);
    expect(new Set(inside!.outputs.map((v) => v.name)).size).toBe(4);
    expect(opsOf(inside!)).toEqual(['Mul', 'Identity', 'Identity', 'Identity']);
    const written = await prepare(g, execute);
    expect(opsOf(written)).not.toContain('Loop');
    const results = await execute(written, { x: f32([2, -1]) });
    expect([numbersOf(results.last!), results.all!.dims, numbersOf(results.flags!)]).toEqual([
      [256, 1],
      [3, 2],
      [1, 1, 1],
    ]);
  });
});

describe('control flow of fixed course', () => {
  /** s -> 2 s, n times, each state kept. */
  const doubling = (n: number): Graph =>
    graph((b) => {
      b.input('x', [2]);
      b.ops('Loop', [b.constant(i64([n], [])), '', 'x'], ['last', 'all'], {
        body: body(
          (l) => [l.op('Identity', ['goes']), ...[0, 1].map(() => l.op('Add', ['s', 's']))],
          (l) => {
            l.input('i', [], 'int64');
            l.input('goes', [], 'bool');
            l.input('s', [2]);
          },
        ),
      });
      b.untypedOutput('last');
      b.untypedOutput('all');
    });

  it('stays a loop beyond the limit of nodes, and where it runs no turn and its stack is read', async () => {
    const none = () => undefined;
    const plain = plainBodies(doubling(5));
    expect(opsOf(unroll(plain, none, { maxNodes: 15 }))).toEqual([
      ...Array.from({ length: 5 }, () => ['Identity', 'Add', 'Add']).flat(),
      ...new Array(5).fill('Unsqueeze'),
      'Concat',
    ]);
    expect(unroll(plain, none, { maxNodes: 14 })).toBe(plain);
    const empty = plainBodies(doubling(0));
    expect(unroll(empty, none)).toBe(empty);
    const unread = dropDead({
      ...empty,
      nodes: empty.nodes.map((n) => ({ ...n, outputs: ['last', ''] })),
      outputs: [empty.outputs[0]!],
    });
    expect(opsOf(unroll(unread, none))).toEqual(['Identity']);
  });

  it('is followed by folding, and folding by it: a branch chosen by a size chooses the length of a loop', async () => {
    const g = graph((b) => {
      b.input('x', ['N', 4]);
      const wide = b.op('Equal', [b.op('Shape', ['x'], { start: 1, end: 2 }), b.ints([4])]);
      const turns = b.op('If', [b.op('Squeeze', [wide])], {
        then_branch: body((t) => [t.op('Add', [t.constant(i64([1], []), 'one'), 'one'])]),
        else_branch: body((t) => [t.op('Identity', [t.constant(i64([7], []), 'seven')])]),
      });
      b.ops('Loop', [turns, '', 'x'], ['y'], {
        body: body(
          (l) => [
            l.op('Identity', ['goes']),
            l.op('Mul', ['s', l.op('Cast', [l.op('Add', ['i', l.constant(i64([2], []), 'shift')])], { to: 1 })]),
          ],
          (l) => {
            l.input('i', [], 'int64');
            l.input('goes', [], 'bool');
            l.input('s', ['N', 4]);
          },
        ),
      });
      b.output('y', ['N', 4]);
    });
    const written = await prepare(g, execute);
    expect(opsOf(written)).toEqual(['Mul', 'Mul']);
    const { y } = await execute(written, { x: f32([1, 2, 3, 4], [1, 4]) });
    expect(numbersOf(y!)).toEqual([6, 12, 18, 24]);
  });
});

describe('passes see through bodies', () => {
  it('constants: nodes in a body that read constants only are computed once', async () => {
    const g = graph((b) => {
      b.input('x', [2, 3]);
      b.constant(f32([0], []), 'zero');
      b.constant(f32([1, 2, 3]), 'w');
      const write = (op: string) => body((t) => [t.op('Mul', ['x', t.op(op, ['w'])])]);
      b.ops('If', [positive(b, 'x')], ['y'], { then_branch: write('Exp'), else_branch: write('Sqrt') });
      b.output('y', [2, 3]);
    });
    const folded = await foldConstants(plainBodies(g), execute);
    expect(deepOps(folded)).toEqual(['ReduceSum', 'Greater', 'If', 'Mul', 'Mul']);
    for (const sign of [1, -1]) {
      const x = f32(
        [1, 2, 3, 4, 5, 6].map((v) => sign * v),
        [2, 3],
      );
      expect(await difference(g, folded, { x })).toBeLessThan(1e-6);
    }
  });

  it('upgrades: operators of old opsets inside bodies', async () => {
    const g = graph((b) => {
      b.input('x', [2, 8]);
      b.constant(f32([0], []), 'zero');
      b.constant(f32([1, 0.4]), 'scales');
      const small = (t: GraphBuilder): string => t.op('Resize', ['x', 'scales'], { mode: 'nearest' });
      b.ops('If', [positive(b, 'x')], ['y'], {
        then_branch: body((t) => [
          t.op('Squeeze', [t.op('Unsqueeze', [t.op('Clip', [small(t)], { min: float(0) })], { axes: [0] })], { axes: [0] }),
        ]),
        // the runtime rounds up where it shrinks, which takes knowing the scales: they lie outside
        else_branch: body((t) => [small(t)]),
      });
      b.untypedOutput('y');
    }, 10);
    const upgraded = upgrade(plainBodies(g));
    expect(upgraded.opsets.get('')).toBe(18);
    expect(validate(upgraded)).toEqual([]);
    for (const sign of [1, -1]) {
      const x = f32(
        Array.from({ length: 16 }, (_, i) => sign * (i % 3 === 0 ? -i : i)),
        [2, 8],
      );
      expect(await difference(g, upgraded, { x })).toBe(0);
    }
  });

  /** Reads a value of the graph around in both branches. */
  const reader = (b: GraphBuilder, name: string, output: string): void => {
    const copy = () => body((t) => [t.op('Mul', [name, name])]);
    b.constant(f32([0], []), 'zero');
    b.ops('If', [positive(b, 'x')], [output], { then_branch: copy(), else_branch: copy() });
    b.untypedOutput(output);
  };

  it('a rectifier that a body reads is not moved behind the pool', async () => {
    const g = graph((b) => {
      b.input('x', [1, 1, 4, 4]);
      b.ops('MaxPool', [b.op('Relu', ['x'], {}, 'r')], ['y'], { kernel_shape: [2, 2], strides: [2, 2] });
      b.output('y', [1, 1, 2, 2]);
      reader(b, 'r', 'z');
    });
    const after = poolBeforeRelu(g);
    expect(opsOf(after).slice(0, 2)).toEqual(['Relu', 'MaxPool']);
    expect(await difference(g, after, { x: normal([1, 1, 4, 4], 'pool') })).toBe(0);
  });

  it('a convolution that a body reads keeps its weights', async () => {
    const g = graph((b) => {
      b.input('x', [1, 2, 3, 3]);
      const vector = (...v: number[]) => b.constant(f32(v));
      b.op('Conv', ['x', b.constant(normal([2, 2, 1, 1], 'weights'))], {}, 'c');
      b.op('BatchNormalization', ['c', vector(1, 2), vector(3, 4), vector(0.5, 1), vector(2, 1)], {}, 'y');
      b.output('y', [1, 2, 3, 3]);
      reader(b, 'c', 'z');
    });
    const folded = foldBatchNorm(g, await inferShapes(plainBodies(g), execute));
    expect(opsOf(folded).slice(0, 3)).toEqual(['Conv', 'Mul', 'Add']);
    expect(await difference(g, folded, { x: normal([1, 2, 3, 3], 'norm') })).toBeLessThan(1e-6);
  });
});

describe('sizes', () => {
  it('of values inside bodies: what follows the batch, and what changes from turn to turn', async () => {
    const g = graph((b) => {
      b.input('x', ['N', 3]);
      b.input('m', [], 'int64');
      b.ops('Loop', ['m', '', 'x', b.constant(f32([0, 0], [1, 2]))], ['last', 'grown', 'all'], {
        body: body(
          (l) => [
            l.op('Identity', ['goes']),
            l.op('Exp', ['s'], {}, 'e'),
            l.op('Concat', ['t', 't'], { axis: 0 }, 'g'),
            l.op('ReduceSum', ['e', l.ints([1])], { keepdims: 0 }, 'sum'),
          ],
          (l) => {
            l.input('i', [], 'int64');
            l.input('goes', [], 'bool');
            l.input('s', ['N', 3]);
            l.input('t', [null, 2]);
          },
        ),
      });
      for (const name of ['last', 'grown', 'all']) b.untypedOutput(name);
    });
    const shapes = await inferShapes(plainBodies(g), execute);
    expect(shapes.get('e')).toEqual({ dtype: 'float32', dims: [null, 3], batchAxes: [0] });
    expect(shapes.get('i')).toEqual({ dtype: 'int64', dims: [] });
    expect(shapes.get('t')).toMatchObject({ dims: [null, 2], varies: true });
    // as long as the data say, and as wide as the batch
    expect(shapes.get('all')).toMatchObject({ dims: [null, null], batchAxes: [1] });
    expect(shapes.get('grown')).toMatchObject({ dims: [null, 2] });
  });

  it('stated inside bodies do not survive a new batch', async () => {
    const g = graph((b) => {
      b.input('x', [1, 3]);
      b.constant(f32([0], []), 'zero');
      const branch = (op: string) => {
        const made = body((t) => [t.op(op, ['x'], {}, `${op}_x`)]) as { type: 'graph'; value: Graph };
        const stated = { name: `${op}_x`, dtype: 'float32', dims: [1, 3] } as const;
        return { type: 'graph', value: { ...made.value, outputs: [stated] } } as const;
      };
      b.ops('If', [b.op('Greater', [b.op('ReduceMax', ['x'], { keepdims: 0 }), 'zero'])], ['h'], {
        then_branch: branch('Sin'),
        else_branch: branch('Cos'),
      });
      b.op('Identity', ['h'], {}, 'y');
      b.output('y', [1, 3]);
    });
    const opened = {
      ...g,
      inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3] } as const],
      outputs: [{ name: 'y', dtype: undefined, dims: undefined }],
    };
    const { y } = await execute(bindDims(opened, { x: [4, 3] }), { x: normal([4, 3], 'four') });
    expect(y!.dims).toEqual([4, 3]);
  });

  it('a fixed batch becomes symbolic through a scan, which is written out', async () => {
    const g = graph((b) => {
      b.input('x', [2, 5, 3]);
      b.constant(normal([3, 3], 'w'), 'w');
      const state = b.constant(f32(new Float32Array(6), [2, 3]));
      b.ops('Scan', [state, 'x'], ['last'], {
        num_scan_inputs: 1,
        scan_input_axes: [1],
        body: body(
          (s) => [s.op('Tanh', [s.op('Add', [s.op('MatMul', ['h', 'w']), 'part'])])],
          (s) => {
            s.input('h', [2, 3]);
            s.input('part', [2, 3]);
          },
        ),
      });
      b.op('Identity', ['last'], {}, 'y');
      b.output('y', [2, 3]);
    });
    const made = await makeBatchSymbolic(await prepare(g, execute), execute, { batchAxis: { x: 0 } });
    expect(made.reason).toBeUndefined();
    expect(made.proven).toBe(true);
    expect(await difference(g, made.graph, normalFeeds(g))).toBeLessThan(1e-6);
  });
});

/** A loop as TensorFlow writes one: it counts in a state of its own and compares; each turn doubles x and lists it. */
const counting = (start: (g: GraphBuilder) => string) =>
  graph((g) => {
    g.input('x', [2, 3]);
    const own = body(
      (b) => {
        const next = b.op('Add', ['i', b.constant(f32([1], []), 'one')], {}, 'next');
        const doubled = b.op('Add', ['v', 'v'], {}, 'doubled');
        const goes = b.op('Less', [next, b.constant(f32([4], []), 'end')], {}, 'goes');
        return [goes, next, doubled, b.op('Identity', [doubled], {}, 'listed')];
      },
      (b) => {
        b.input('turn', [], 'int64');
        b.input('go', [], 'bool');
        b.input('i', []);
        b.input('v', [2, 3]);
      },
    );
    const go = g.constant(tensor('bool', [], Uint8Array.of(1)), 'start');
    g.ops('Loop', ['', go, start(g), 'x'], ['counted', 'last', 'y'], { body: own });
    g.untypedOutput('y');
  });

describe('a loop that counts in its condition', () => {
  it('is written out as often as it runs', async () => {
    const before = counting((g) => g.constant(f32([1], []), 'from'));
    const prepared = await prepare(before, execute);
    expect(opsOf(prepared)).not.toContain('Loop');
    expect(await difference(before, prepared, normalFeeds(before))).toBe(0);
    expect((await execute(prepared, { x: normal([2, 3], 'x') })).y!.dims).toEqual([3, 2, 3]);
  });

  it('stays a loop where the data say where it starts', async () => {
    const before = counting((g) => g.op('ReduceMax', ['x'], { keepdims: 0 }));
    expect(opsOf(await prepare(before, execute))).toContain('Loop');
  });
});
