import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { backward, type GradientOptions, gradient } from '../../../src/core/autodiff/gradient.ts';
import { type Surrogate, straightThrough, type Twin } from '../../../src/core/autodiff/substitutes.ts';
import { UserError } from '../../../src/core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { elementType } from '../../../src/core/onnx/dtypes.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf, scalar, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { fromTensor } from '../../oracles/interpreter/types.ts';
import { directionalDisagreement } from './agreement.ts';

const runtime = createRuntime(ort);

/** A graph with float32 inputs of the given shapes and one output "y". */
function graph(inputs: Readonly<Record<string, readonly Dim[]>>, write: (g: GraphBuilder) => string): Graph {
  const g = graphBuilder({ opset: 20, irVersion: 9 });
  for (const [name, dims] of Object.entries(inputs)) g.input(name, dims);
  g.op('Identity', [write(g)], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

/** Gradients by name for the given feeds, with everything else the graph computes. */
async function differentiate(of: Graph, feeds: Readonly<Record<string, Tensor>>, options: Partial<GradientOptions> = {}) {
  const wrt = options.wrt ?? Object.keys(feeds).filter((name) => !name.startsWith('cotangent_'));
  const made = await gradient(of, runtime.execute, { of: ['y'], ...options, wrt });
  const session = await runtime.open(made.graph);
  const outputs = await session.run(feeds);
  await session.release();
  const gradients = Object.fromEntries(wrt.map((name) => [name, outputs[made.gradients[name]!]!]));
  return { ...made, outputs, of: (name: string) => numbersOf(gradients[name]!), dims: (name: string) => gradients[name]!.dims };
}

describe('the backward walk', () => {
  it('adds up what a value receives from each of its readers', async () => {
    // y = x x + sin x + x: dy/dx = 2 x + cos x + 1
    const g = graph({ x: [3] }, (b) => b.op('Sum', [b.op('Mul', ['x', 'x']), b.op('Sin', ['x']), 'x']));
    const made = await differentiate(g, { x: f32([0, 1, 2]) });
    const expected = [0, 1, 2].map((x) => 2 * x + Math.cos(x) + 1);
    made.of('x').forEach((v, i) => void expect(v).toBeCloseTo(expected[i]!, 6));
  });

  it('accumulates four contributions with one Sum', async () => {
    const g = graph({ x: [2] }, (b) => b.op('Sum', ['x', b.op('Neg', ['x']), b.op('Exp', ['x']), 'x']));
    const made = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    const backwardOps = made.graph.nodes.slice(g.nodes.length).map((n) => n.op);
    expect(backwardOps.filter((op) => op === 'Sum')).toHaveLength(1);
    expect(backwardOps).not.toContain('Add');
  });

  it('sums over the axes along which an operand was broadcast, and gives the shape of the operand', async () => {
    const g = graph({ a: ['N', 3, 2], b: [3, 1], c: [2], d: [] }, (b) => b.op('Sum', ['a', 'b', 'c', 'd']));
    const feeds = { a: f32(new Float32Array(24), [4, 3, 2]), b: f32([0, 0, 0], [3, 1]), c: f32([0, 0]), d: scalar(0) };
    const made = await differentiate(g, feeds);
    expect(made.dims('a')).toEqual([4, 3, 2]);
    expect([made.dims('b'), made.of('b')]).toEqual([
      [3, 1],
      [8, 8, 8],
    ]);
    expect([made.dims('c'), made.of('c')]).toEqual([[2], [12, 12]]);
    expect([made.dims('d'), made.of('d')]).toEqual([[], [24]]);
  });

  it('un-broadcasts a batch of one against a symbolic batch', async () => {
    const g = graph({ a: ['N', 2], b: [1, 2] }, (b) => b.op('Mul', ['a', 'b']));
    const made = await differentiate(g, { a: f32([1, 2, 3, 4, 5, 6], [3, 2]), b: f32([1, 1], [1, 2]) });
    expect([made.dims('b'), made.of('b')]).toEqual([
      [1, 2],
      [9, 12],
    ]);
  });

  it('keeps a symbolic batch symbolic in the outputs it declares', async () => {
    const g = graph({ x: ['N', 2] }, (b) => b.op('Exp', ['x']));
    const made = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    expect(made.graph.outputs.at(-1)).toEqual({ name: made.gradients.x, dtype: 'float32', dims: ['N', 2] });
  });

  it('differentiates inputs, weights and intermediates at once', async () => {
    const g = graph({ x: [2] }, (b) => {
      const w = b.constant(f32([3, -1]), 'w');
      return b.op('Mul', [b.op('Mul', ['x', w], {}, 'h'), 'h']);
    });
    const made = await differentiate(g, { x: f32([1, 2]) }, { wrt: ['x', 'w', 'h'] });
    // y = h^2, h = x w
    expect(made.of('h')).toEqual([6, -4]);
    expect(made.of('x')).toEqual([18, 4]);
    expect(made.of('w')).toEqual([6, -8]);
  });

  it('gives each of two equal gradients an output of its own', async () => {
    const g = graph({ a: [2], b: [2] }, (b) => b.op('Add', ['a', 'b']));
    const made = await differentiate(g, { a: f32([1, 2]), b: f32([3, 4]) });
    expect(made.gradients.a).not.toBe(made.gradients.b);
    expect([made.of('a'), made.of('b')]).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('gives zeros where no path leads', async () => {
    const g = graph({ x: ['N', 2], z: ['N', 3] }, (b) => b.op('Exp', ['x']));
    const made = await differentiate(g, { x: f32([0, 0], [1, 2]), z: f32([1, 2, 3], [1, 3]) });
    expect([made.dims('z'), made.of('z')]).toEqual([
      [1, 3],
      [0, 0, 0],
    ]);
  });

  it('differentiates the sum of several outputs, one of them an input of the other', async () => {
    const g = graph({ x: [2] }, (b) => b.op('Exp', [b.op('Mul', ['x', 'x'], {}, 'h')]));
    const made = await differentiate(g, { x: f32([1, 2]) }, { of: ['y', 'h'] });
    // 2 x (1 + e^(x^2))
    [1, 2].forEach((x, i) => void expect(made.of('x')[i]! / (2 * x * (1 + Math.exp(x * x)))).toBeCloseTo(1, 6));
  });

  it('takes cotangents in: a vector-Jacobian product', async () => {
    const g = graph({ x: ['N', 2] }, (b) => b.op('Mul', ['x', 'x']));
    const feeds = { x: f32([1, 2, 3, 4], [2, 2]), cotangent_y: f32([1, 0, -1, 0.5], [2, 2]) };
    const made = await differentiate(g, feeds, { cotangents: true });
    expect(made.of('x')).toEqual([2, 0, -6, 4]);
  });

  it('leaves the forward outputs bit for bit as they were', async () => {
    const g = graph({ x: ['N', 5] }, (b) => b.op('Softmax', [b.op('Tanh', [b.op('Mul', ['x', b.number(3)])])]));
    const feeds = {
      x: f32(
        Array.from({ length: 15 }, (_, i) => Math.sin(i)),
        [3, 5],
      ),
    };
    const plain = await runtime.open(g);
    const made = await differentiate(g, feeds);
    expect(made.outputs.y).toEqual((await plain.run(feeds)).y);
    await plain.release();
  });

  it('writes nothing for operands that are not asked for', async () => {
    const g = graph({ x: [2] }, (b) => b.op('Pow', ['x', b.constant(f32([2, 3]))]));
    const made = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    expect(made.graph.nodes.map((n) => n.op)).not.toContain('Log');
  });

  it('differentiates a gradient graph again', async () => {
    // y = tanh(x)^2: d/dx of dy/dx = 2 (1 - t^2)(1 - 3 t^2)
    const g = graph({ x: ['N', 3] }, (b) => b.op('Pow', [b.op('Tanh', ['x']), b.number(2)]));
    const first = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    const made = await differentiate(first.graph, { x: f32([-0.5, 0.1, 1], [1, 3]) }, { of: [first.gradients.x!], wrt: ['x'] });
    [-0.5, 0.1, 1].forEach((x, i) => {
      const t = Math.tanh(x);
      expect(made.of('x')[i]).toBeCloseTo(2 * (1 - t * t) * (1 - 3 * t * t), 5);
    });
  });

  it('works in float64', async () => {
    const g = graphBuilder({ opset: 18 });
    g.input('x', ['N', 3], 'float64');
    const scaled = g.op('Mul', [g.op('Relu', ['x']), g.constant(tensor('float64', [], Float64Array.of(3)))]);
    g.op('ReduceMean', [g.op('Softmax', [g.op('Tanh', [scaled])]), g.ints([0])], {}, 'y');
    g.output('y', [1, 3], 'float64');
    const x = Float64Array.of(-0.4, 0.3, 0.1, 0.2, 0.7, -0.9, 0.15, 0.4, 0.8);
    const feeds = { x: tensor('float64', [3, 3], x), cotangent_y: tensor('float64', [1, 3], Float64Array.of(1, -2, 0.5)) };
    const made = await differentiate(g.build(), feeds, { cotangents: true });
    expect(made.outputs[made.gradients.x!]!.dtype).toBe('float64');
    const claim = {
      graph: g.build(),
      feeds: { x: fromTensor(feeds.x) },
      cotangents: { y: [1, -2, 0.5] },
      gradients: { x: made.of('x') },
    };
    expect(directionalDisagreement(claim, stream('float64'))).toBeUndefined();
  });
});

describe('gradients stay finite', () => {
  it.each([
    ['Sqrt of a sum of squares', (b: GraphBuilder) => b.op('Sqrt', [b.op('ReduceSumSquare', ['x', b.ints([1])])])],
    [
      'Pow 0.5 of a sum of squares',
      (b: GraphBuilder) => b.op('Pow', [b.op('ReduceSumSquare', ['x', b.ints([1])]), b.number(0.5)]),
    ],
    ['ReduceL2', (b: GraphBuilder) => b.op('ReduceL2', ['x', b.ints([1])])],
    ['LpNormalization', (b: GraphBuilder) => b.op('LpNormalization', ['x'], { p: 2 })],
  ])('%s of a row of zeros is 0 there', async (_name, write) => {
    const made = await differentiate(graph({ x: ['N', 2] }, write), { x: f32([0, 0, 3, 4], [2, 2]) });
    expect(made.of('x').slice(0, 2)).toEqual([0, 0]);
    expect(made.of('x').every(Number.isFinite)).toBe(true);
  });

  it.each<[string, number, (b: GraphBuilder) => string]>([
    ['Sqrt', 0, (b) => b.op('Sqrt', ['x'])],
    ['Log', 0, (b) => b.op('Log', ['x'])],
    ['Reciprocal', 0, (b) => b.op('Reciprocal', ['x'])],
    ['Div', 0, (b) => b.op('Div', ['x', 'x'])],
    ['Pow -1', 0, (b) => b.op('Pow', ['x', b.number(-1)])],
    ['Pow 0.3', 0, (b) => b.op('Pow', ['x', b.number(0.3)])],
    ['Pow with exponents', 0, (b) => b.op('Pow', ['x', b.constant(f32([-1, 0.5]))])],
    ['Pow with itself', 0, (b) => b.op('Pow', ['x', 'x'])],
    ['Asin', 1, (b) => b.op('Asin', ['x'])],
    ['Acos', 1, (b) => b.op('Acos', ['x'])],
    ['Acosh', 1, (b) => b.op('Acosh', ['x'])],
    ['Atanh', 1, (b) => b.op('Atanh', ['x'])],
  ])('where the singularity of %s is not chosen', async (_name, at, write) => {
    const g = graph({ x: [2] }, (b) => b.op('Where', [b.op('Equal', ['x', b.number(at)]), 'x', write(b)]));
    const made = await differentiate(g, { x: f32([at, at + 0.5]) });
    expect(made.of('x')[0]).toBe(1);
  });

  it('of saturated activations are 0 or 1, not NaN', async () => {
    for (const op of ['Sigmoid', 'Tanh', 'Softplus', 'Gelu', 'Mish', 'Elu', 'Celu', 'Softsign', 'HardSwish']) {
      const made = await differentiate(
        graph({ x: [2] }, (b) => b.op(op, ['x'])),
        { x: f32([-200, 200]) },
      );
      const [left, right] = made.of('x') as [number, number];
      expect(Math.abs(left), `${op} at -200`).toBeLessThan(1e-4);
      expect(Math.min(Math.abs(right), Math.abs(right - 1)), `${op} at 200`).toBeLessThan(1e-4);
    }
  });
});

describe('cuts and missing rules', () => {
  const spikes = () =>
    graph({ x: [3] }, (b) =>
      b.op('Mul', ['x', b.op('Cast', [b.op('Greater', ['x', b.number(0)])], { to: elementType('float32') })]),
    );

  it('names the node at which the gradient ends', async () => {
    const made = await differentiate(spikes(), { x: f32([-1, 1, 2]) });
    expect(made.of('x')).toEqual([0, 1, 1]);
    expect(made.cuts).toEqual([{ node: 'Greater_0', op: 'Greater' }]);
  });

  it('names the node that makes integers, and needs no rule for what is done to them', async () => {
    const whole = (value: bigint) => tensor('int64', [1], BigInt64Array.of(value));
    const made = await differentiate(
      graph({ x: [3] }, (b) => {
        const chosen = b.op('Where', [b.op('Greater', ['x', b.number(0)]), b.constant(whole(6n)), b.constant(whole(9n))]);
        const number = b.op('Mod', [b.op('Div', [chosen, b.constant(whole(3n))]), b.constant(whole(10n))]);
        return b.op('Mul', ['x', b.op('Cast', [number], { to: elementType('float32') })]);
      }),
      { x: f32([-1, 1, 2]) },
    );
    expect(made.of('x')).toEqual([3, 2, 2]);
    expect(made.cuts).toEqual([{ node: 'Greater_0', op: 'Greater' }]);
  });

  it('reports no cut that lies beside the path', async () => {
    const g = graph({ x: [2], z: [2] }, (b) => b.op('Mul', ['x', b.op('Floor', ['z'])]));
    expect((await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] })).cuts).toEqual([]);
    expect((await gradient(g, runtime.execute, { of: ['y'], wrt: ['z'] })).cuts).toEqual([{ node: 'Floor_0', op: 'Floor' }]);
  });

  const shapes = new Map(['x', 'h', 'y'].map((name) => [name, { dtype: 'float32', dims: [2] } as const]));
  const failure = (domain: string): unknown => {
    const g = graphBuilder();
    g.input('x', [2]);
    g.add({ op: 'Mystery', domain, name: 'encoder/mystery', inputs: ['x'], outputs: ['h'], attributes: new Map() });
    g.op('Identity', ['h'], {}, 'y');
    g.output('y', [2]);
    try {
      return backward({ graph: g.build(), standIn: new Map() }, shapes, { of: ['y'], wrt: ['x'] });
    } catch (error) {
      return error;
    }
  };

  it('names the node that has no rule, and the remedy', () => {
    const error = failure('') as UserError;
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toBe('Mystery "encoder/mystery" (output "h") lies on the gradient path and has no derivative rule');
    expect(error.remedy).toBe(
      'choose a stand-in for it (surrogates: { match: { op: Mystery }, use: straight-through }), attack without gradients, or export the model without this op',
    );
    expect((failure('com.example') as UserError).message).toMatch(/^com\.example::Mystery "encoder\/mystery"/);
  });

  it('does not overlook a value that only the body of a branch reads', async () => {
    const branch = (op: string): Graph => {
      const g = graphBuilder();
      g.op(op, ['x'], {}, `out_${op}`);
      g.output(`out_${op}`, [2]);
      return { ...g.build(), opsets: new Map() };
    };
    const g = graph({ x: [2] }, (b) => {
      const condition = b.constant(tensor('bool', [], Uint8Array.of(1)));
      return b.op('If', [condition], {
        then_branch: { type: 'graph', value: branch('Exp') },
        else_branch: { type: 'graph', value: branch('Neg') },
      });
    });
    const made = await differentiate(g, { x: f32([0, 1]) });
    [1, Math.E].forEach((v, i) => void expect(made.of('x')[i]).toBeCloseTo(v, 6));
  });

  it('asks no rule of a node beside the path', () => {
    const g = graphBuilder();
    g.input('x', [2]);
    g.add({ op: 'Mystery', domain: '', name: '', inputs: ['x'], outputs: ['h'], attributes: new Map() });
    g.op('Exp', ['x'], {}, 'y');
    g.output('y', [2]);
    const made = backward({ graph: g.build(), standIn: new Map() }, shapes, { of: ['y'], wrt: ['x'] });
    expect(made.graph.nodes.map((n) => n.op)).toEqual(['Exp', 'ConstantOfShape', 'Mul']);
  });
});

describe('surrogates', () => {
  const rounded = () =>
    graph({ x: [2] }, (b) => {
      const names = ['encoder/round', 'decoder/round'];
      const [first, second] = names.map((name) => b.fresh(name)) as [string, string];
      b.add({ op: 'Round', domain: '', name: names[0]!, inputs: ['x'], outputs: [first], attributes: new Map() });
      const doubled = b.op('Mul', [first, b.number(2)]);
      b.add({ op: 'Round', domain: '', name: names[1]!, inputs: [doubled], outputs: [second], attributes: new Map() });
      return b.op('Add', [second, 'x']);
    });
  const threefold = (match: Surrogate['match']): Surrogate => ({
    match,
    label: 'threefold',
    rule: ([dy], _node, { g, number }) => [g.op('Mul', [dy!, number(3, 'float32')])],
  });
  const through = async (surrogates: Surrogate[]) => {
    const made = await differentiate(rounded(), { x: f32([0.3, 1.2]) }, { surrogates });
    return { gradient: made.of('x')[0], cuts: made.cuts.map((c) => c.node), substitutes: made.substitutes };
  };
  const used = (label: string, at: string) => ({ label, at });

  it('stand in by op', async () => {
    expect(await through([straightThrough({ op: 'Round' })])).toEqual({
      gradient: 3,
      cuts: [],
      substitutes: [used('straight-through', 'decoder/round'), used('straight-through', 'encoder/round')],
    });
  });
  it('stand in by name, and the others still cut', async () => {
    expect(await through([straightThrough({ name: 'decoder/round' })])).toEqual({
      gradient: 1,
      cuts: ['encoder/round'],
      substitutes: [used('straight-through', 'decoder/round')],
    });
  });
  it('stand in by pattern; the first that matches is used; all conditions must hold', async () => {
    const surrogates = [
      threefold({ pattern: /^encoder\// }),
      threefold({ op: 'Floor', name: 'decoder/round' }),
      straightThrough({ op: 'Round' }),
    ];
    expect(await through(surrogates)).toEqual({
      gradient: 7,
      cuts: [],
      substitutes: [used('straight-through', 'decoder/round'), used('threefold', 'encoder/round')],
    });
  });
});

describe('twins', () => {
  /** A subgraph of one input "in". */
  const subgraph = (write: (g: GraphBuilder) => string): Graph => {
    const g = graphBuilder();
    g.input('in', [2]);
    g.output(write(g), [2]);
    return g.build();
  };
  const twin = (inputs: string, outputs: string, write: (g: GraphBuilder) => string): Twin => ({
    label: 'soft',
    inputs: [inputs],
    outputs: [outputs],
    graph: subgraph(write),
  });
  // y = round(x) x
  const hard = () => graph({ x: [2] }, (b) => b.op('Mul', [b.op('Round', ['x'], {}, 'hard'), 'x']));
  const x = f32([1.2, 2.4]);

  it('forward runs the original, backward the twin', async () => {
    const made = await differentiate(hard(), { x }, { twins: [twin('x', 'hard', (b) => b.op('Mul', ['in', b.number(5)]))] });
    expect(numbersOf(made.outputs.y!)).toEqual([1.2, 4.8].map(Math.fround));
    // dy/dx = round(x) + 5 x
    [7, 14].forEach((v, i) => void expect(made.of('x')[i]).toBeCloseTo(v, 5));
    expect(made.cuts).toEqual([]);
    expect(made.substitutes).toEqual([{ label: 'soft', at: 'hard' }]);
  });

  it('may hand its input through', async () => {
    const made = await differentiate(hard(), { x }, { twins: [twin('x', 'hard', () => 'in')] });
    [2.2, 4.4].forEach((v, i) => void expect(made.of('x')[i]).toBeCloseTo(v, 5));
  });

  it('may stand for the output of another twin', async () => {
    const g = graph({ x: [2] }, (b) => b.op('Floor', [b.op('Round', ['x'], {}, 'hard')], {}, 'harder'));
    const five = twin('x', 'hard', (b) => b.op('Mul', ['in', b.number(5)]));
    for (const second of [twin('hard', 'harder', () => 'in'), twin('hard', 'harder', (b) => b.op('Mul', ['in', b.number(1)]))]) {
      expect((await differentiate(g, { x }, { twins: [five, second] })).of('x')).toEqual([5, 5]);
      expect((await differentiate(g, { x }, { twins: [second, five] })).of('x')).toEqual([5, 5]);
    }
  });

  it('gives the gradient with respect to a value a twin stands for', async () => {
    const made = await differentiate(
      hard(),
      { x },
      { wrt: ['hard'], twins: [twin('x', 'hard', (b) => b.op('Mul', ['in', b.number(5)]))] },
    );
    expect(made.of('hard')).toEqual([1.2, 2.4].map(Math.fround));
  });

  it('is not reported where no gradient passed through it', async () => {
    const g = graph({ x: [2] }, (b) => {
      b.op('Round', ['x'], {}, 'hard');
      return b.op('Exp', ['x']);
    });
    expect((await differentiate(g, { x }, { twins: [twin('x', 'hard', () => 'in')] })).substitutes).toEqual([]);
  });

  it('must match what it stands for', async () => {
    const bad: Twin = { ...twin('x', 'hard', () => 'in'), inputs: ['x', 'x'] };
    await expect(gradient(hard(), runtime.execute, { of: ['y'], wrt: ['x'], twins: [bad] })).rejects.toThrow(
      'twin "soft" has 1 inputs and 1 outputs for 2 and 1',
    );
  });
});

describe('random graphs', () => {
  const single = [
    'Tanh',
    'Sigmoid',
    'Sin',
    'Cos',
    'Softplus',
    'Softsign',
    'Erf',
    'Mish',
    'Atan',
    'Softmax',
    'LogSoftmax',
    'Neg',
    'Asinh',
  ];
  const double = ['Add', 'Sub', 'Mul', 'Mean', 'Sum'];
  const reduce = ['ReduceMean', 'ReduceSum', 'ReduceLogSumExp', 'ReduceSumSquare'];
  const step = fc.record({
    op: fc.constantFrom(...single, ...double, ...double, ...reduce),
    a: fc.nat(100),
    b: fc.nat(100),
    axis: fc.constantFrom(0, 1),
  });

  it('agree with finite differences of the float64 interpreter', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), fc.nat(1000), async (steps, seed) => {
        const g = graph({ x: [3, 4], z: [4] }, (b) => {
          const values = ['x', 'z', b.op('Add', ['x', 'z'])];
          const pick = (n: number) => values[n % values.length]!;
          for (const { op, a, b: other, axis } of steps) {
            if (double.includes(op)) values.push(b.op(op, [pick(a), pick(other)]));
            else if (reduce.includes(op)) values.push(b.op(op, [b.op('Add', [pick(a), 'x']), b.ints([axis])], { keepdims: 1 }));
            else values.push(b.op(op, [pick(a)]));
          }
          return b.op('Tanh', [values.reduce((p, q) => b.op('Add', [p, q]))]);
        });
        const random = stream('random graphs', seed);
        const draw = (n: number, dims: number[]) =>
          f32(
            Array.from({ length: n }, () => 0.5 * random.normal()),
            dims,
          );
        const [x, z, c] = [draw(12, [3, 4]), draw(4, [4]), draw(12, [3, 4])];
        const made = await differentiate(g, { x, z, cotangent_y: c }, { cotangents: true });
        const claim = {
          graph: g,
          feeds: { x: fromTensor(x), z: fromTensor(z) },
          cotangents: { y: numbersOf(c) },
          gradients: { x: made.of('x'), z: made.of('z') },
        };
        expect(directionalDisagreement(claim, random)).toBeUndefined();
      }),
      { numRuns: 40, seed: 7 },
    );
  });
});
