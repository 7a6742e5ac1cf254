/** @file If, Loop and Scan: closed forms, finite differences of the float64 interpreter, and the same gradients written out and in reverse. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import type { Surrogate } from '../../../src/core/autodiff/substitutes.ts';
import { UserError } from '../../../src/core/errors.ts';
import { type AttributeInput, type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { elementType } from '../../../src/core/onnx/dtypes.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { validate } from '../../../src/core/onnx/validate.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { type DType, f32, i64, numbersOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { fromTensor } from '../../oracles/interpreter/types.ts';
import { directionalDisagreement, disagreement } from './agreement.ts';

const runtime = createRuntime(ort);

/** Bodies are written by builders of their own: no name they make may hide one around them. */
const taken = new Set<string>();

type Inputs = Readonly<Record<string, readonly Dim[]>>;

function graph(inputs: Inputs, write: (g: GraphBuilder) => string, opset = 18): Graph {
  const g = graphBuilder({ opset, taken });
  for (const [name, dims] of Object.entries(inputs)) g.input(name, dims);
  g.op('Identity', [write(g)], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

/** A body as an attribute: its inputs by name and type, and what writes it and names its results. */
function body(
  inputs: readonly (readonly [name: string, dims: readonly Dim[], dtype?: DType])[],
  write: (b: GraphBuilder) => readonly string[],
): AttributeInput {
  const b = graphBuilder({ name: 'body', taken });
  for (const [name, dims, dtype] of inputs) b.input(name, dims, dtype);
  for (const name of write(b)) b.untypedOutput(name);
  return { type: 'graph', value: { ...b.build(), opsets: new Map() } };
}

const loopBody = (
  states: readonly (readonly [name: string, dims: readonly Dim[], dtype?: DType])[],
  write: (b: GraphBuilder) => readonly string[],
): AttributeInput => body([['i', [], 'int64'], ['goes', [], 'bool'], ...states], write);

const random = (dims: readonly number[], name: string): Tensor => {
  const s = stream('control flow', name);
  return f32(
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => s.normal()),
    dims,
  );
};

/** Gradients of y for cotangents of ones and of normal numbers are those of finite differences, forward results stay bit for bit, and the graph is valid. */
async function check(
  g: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  wrt: readonly string[],
  ready = g,
): Promise<Record<string, number[]>> {
  const made = await gradient(ready, runtime.execute, { of: ['y'], wrt, cotangents: true });
  expect(validate(made.graph).filter((f) => f.severity === 'error')).toEqual([]);
  const plain = await runtime.execute(g, feeds);
  const cotangent = random(plain.y!.dims, 'cotangent');
  const session = await runtime.open(made.graph);
  const results = await session.run({ ...feeds, cotangent_y: cotangent });
  await session.release();
  const unoptimised = await runtime.execute(made.graph, { ...feeds, cotangent_y: cotangent });
  expect(unoptimised.y).toEqual((await runtime.execute(ready, feeds)).y);
  const gradients = Object.fromEntries(wrt.map((name) => [name, numbersOf(results[made.gradients[name]!]!)]));
  for (const name of wrt) expect(results[made.gradients[name]!]!.dims).toEqual(feeds[name]!.dims);
  const doubles = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, fromTensor(t)]));
  const reference = interpret(g, doubles).get('y')!;
  expect(reference.dims).toEqual(plain.y!.dims);
  numbersOf(plain.y!).forEach((v, i) => void expect(v).toBeCloseTo(reference.data[i]!, 4));
  const claim = { graph: g, feeds: doubles, cotangents: { y: numbersOf(cotangent) }, gradients };
  expect(directionalDisagreement(claim, stream('control flow'))).toBeUndefined();
  return gradients;
}

const positive = (g: GraphBuilder, x: string): string => g.op('Greater', [g.op('ReduceSum', [x], { keepdims: 0 }), g.number(0)]);

describe('If', () => {
  /** y = sum(x) > 0 ? exp(w x) : x^2 + v; both branches use the same names. */
  const branching = graph({ x: ['N', 3], w: [3], v: [3] }, (g) => {
    const h = g.op('Tanh', ['x']);
    return g.op('If', [positive(g, 'x')], {
      then_branch: body([], (b) => [b.op('Exp', [b.op('Mul', [h, 'w'])], {}, 'result')]),
      else_branch: body([], (b) => [b.op('Add', [b.op('Mul', [h, h]), 'v'], {}, 'result')]),
    });
  });

  it('goes back through the branch that was taken', async () => {
    const wrt = ['x', 'w', 'v'];
    const [w, v] = [random([3], 'w'), random([3], 'v')];
    const taken = await check(branching, { x: f32([1, 2, 0.5, -1, 0.3, 1], [2, 3]), w, v }, wrt);
    expect(taken.v).toEqual([0, 0, 0]);
    const other = await check(branching, { x: f32([-1, -2, 0.5, -1, 0.3, 1], [2, 3]), w, v }, wrt);
    expect(other.w).toEqual([0, 0, 0]);
  });
});

describe('Loop', () => {
  /** h' = tanh(w h + x_i), as often as n says; y = the states of all turns, then the last. */
  const recurrence = (count: (g: GraphBuilder) => string): Graph =>
    graph({ x: [5, 2], w: [2] }, (g) => {
      const zeros = g.constant(f32([0, 0]));
      const [last, all] = g.ops('Loop', [count(g), '', zeros], 2, {
        body: loopBody([['h', [2]]], (b) => {
          const next = b.op('Tanh', [b.op('Add', [b.op('Mul', ['h', 'w']), b.op('Gather', ['x', 'i'])])]);
          return [b.op('Identity', ['goes']), next, next];
        }),
      });
      return g.op('Concat', [g.op('Reshape', [all!, g.ints([-1])]), last!], { axis: 0 });
    });
  const feeds = { x: random([5, 2], 'x'), w: random([2], 'w') };

  it('goes back through a fixed number of turns, from zeros that are no input', async () => {
    await check(
      recurrence((g) => g.constant(i64([5], []))),
      feeds,
      ['x', 'w'],
    );
  });

  it('is written out where the number of turns is fixed, with the same gradients', async () => {
    const g = recurrence((b) => b.constant(i64([4], [])));
    const written = await prepare(g, runtime.execute);
    expect(written.nodes.some((n) => n.op === 'Loop')).toBe(false);
    const [a, b] = [await check(g, feeds, ['x', 'w']), await check(g, feeds, ['x', 'w'], written)];
    for (const name of ['x', 'w']) a[name]!.forEach((v, i) => void expect(v).toBeCloseTo(b[name]![i]!, 5));
  });

  it('takes as many turns back as the data made it take, none too', async () => {
    const g = recurrence((b) =>
      b.op(
        'Cast',
        [
          b.op(
            'ReduceSum',
            [b.op('Greater', ['w', b.number(0)])].map((m) => b.op('Cast', [m], { to: 1 })),
            { keepdims: 0 },
          ),
        ],
        { to: 7 },
      ),
    );
    for (const w of [
      [1, 0.5],
      [0.7, -1],
      [-1, -2],
    ])
      await check(g, { ...feeds, w: f32(w) }, ['x', 'w']);
  });

  it('ends when its condition says so', async () => {
    // s doubles until it is larger than 4: y = s 2^n w
    const g = graph({ x: [1], w: [1] }, (b) =>
      b.op('Add', [
        'w',
        b.ops('Loop', ['', b.op('Less', [b.op('Squeeze', ['x']), b.number(4)]), 'x'], 1, {
          body: loopBody([['s', [1]]], (l) => {
            const next = l.op('Mul', ['s', l.op('Add', ['w', l.number(1)])]);
            return [l.op('Less', [l.op('Squeeze', [next]), l.number(4)]), next];
          }),
        })[0]!,
      ]),
    );
    for (const x of [0.3, 1.1, 7]) await check(g, { x: f32([x]), w: f32([1.1]) }, ['x', 'w']);
  });

  it('with integer and boolean states, a batch, and captured constants and intermediates', async () => {
    const g = graph({ x: ['N', 3] }, (b) => {
      const [h, weights] = [b.op('Sin', ['x']), b.constant(random([3, 3], 'weights'))];
      const made = b.ops(
        'Loop',
        [
          b.op('Squeeze', [b.op('Shape', ['x'], { start: 0, end: 1 })]),
          '',
          'x',
          b.constant(i64([1], [])),
          b.constant(tensor('bool', [], Uint8Array.of(1))),
        ],
        4,
        {
          body: loopBody(
            [
              ['s', ['N', 3]],
              ['k', [], 'int64'],
              ['flag', [], 'bool'],
            ],
            (l) => {
              const scaled = l.op('Mul', [l.op('MatMul', ['s', weights]), l.op('Cast', ['k'], { to: 1 })]);
              const next = l.op('Where', ['flag', l.op('Tanh', [l.op('Add', [scaled, h])]), l.op('Mul', ['s', h])]);
              const sum = l.op('ReduceSum', [next, l.ints([1])], { keepdims: 0 });
              return [l.op('Identity', ['goes']), next, l.op('Add', ['k', l.constant(i64([2], []))]), l.op('Not', ['flag']), sum];
            },
          ),
        },
      );
      return b.op('Concat', [b.op('Reshape', [made[3]!, b.ints([-1])]), b.op('Reshape', [made[0]!, b.ints([-1])])], { axis: 0 });
    });
    for (const batch of [1, 2, 5]) await check(g, { x: random([batch, 3], `batch ${batch}`) }, ['x']);
  });

  it('whose body takes the number of the turn and the condition as lists of one', async () => {
    const g = graph({ x: [3, 2], n: [] }, (b) => {
      const [last] = b.ops('Loop', [b.op('Cast', ['n'], { to: elementType('int64') }), '', b.constant(f32([1, 1], [1, 2]))], 1, {
        body: body(
          [
            ['i', [1], 'int64'],
            ['goes', [1], 'bool'],
            ['h', [1, 2]],
          ],
          (l) => [l.op('Identity', ['goes']), l.op('Mul', ['h', l.op('Gather', ['x', 'i'])])],
        ),
      });
      return last!;
    });
    for (const n of [0, 1, 3]) await check(g, { x: random([3, 2], 'ones'), n: f32([n], []) }, ['x']);
  });

  it('refuses a state that grows', async () => {
    const g = graph({ x: [1, 2] }, (b) =>
      b.op('ReduceSum', [
        b.ops('Loop', [b.constant(i64([3], [])), '', 'x'], 1, {
          body: loopBody([['s', [null, 2]]], (l) => [l.op('Identity', ['goes']), l.op('Concat', ['s', 's'], { axis: 0 })]),
        })[0]!,
      ]),
    );
    const refused = gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow('its state "s" changes its size from turn to turn');
    // written out there is nothing to save
    await check(g, { x: f32([1, 2], [1, 2]) }, ['x'], await prepare(g, runtime.execute));
  });
});

describe('Scan', () => {
  const scanning = (length: Dim, axes: Record<string, readonly number[]>): Graph =>
    graph({ a: axes.scan_input_axes?.[0] === 1 ? [2, length] : [length, 2], b: [length, 2], s: [2], w: [2] }, (g) => {
      const [last, one, two] = g.ops('Scan', ['s', 'a', 'b'], 3, {
        num_scan_inputs: 2,
        ...axes,
        body: body(
          [
            ['h', [2]],
            ['p', [2]],
            ['q', [2]],
          ],
          (b) => {
            const next = b.op('Tanh', [b.op('Add', [b.op('Mul', ['h', 'w']), b.op('Mul', ['p', 'q'])])]);
            return [next, b.op('Mul', [next, 'p']), b.op('Sin', ['h'])];
          },
        ),
      });
      const flat = [one!, two!].map((v) => g.op('Reshape', [v, g.ints([-1])]));
      return g.op('Concat', [...flat, last!], { axis: 0 });
    });
  const variants: [string, Record<string, readonly number[]>][] = [
    ['forwards', {}],
    ['backwards', { scan_input_directions: [1, 1], scan_output_directions: [1, 1] }],
    [
      'both ways, along other axes',
      { scan_input_axes: [1, 0], scan_input_directions: [0, 1], scan_output_axes: [1, -1], scan_output_directions: [1, 0] },
    ],
  ];
  it.each(variants)('%s', async (_, axes) => {
    const transposed = axes.scan_input_axes !== undefined;
    const feeds = {
      a: random(transposed ? [2, 4] : [4, 2], 'a'),
      b: random([4, 2], 'b'),
      s: random([2], 's'),
      w: random([2], 'w'),
    };
    const wrt = ['a', 'b', 's', 'w'];
    const reverse = await check(scanning('T', axes), feeds, wrt);
    const fixed = scanning(4, axes);
    const written = await prepare(fixed, runtime.execute);
    expect(written.nodes.some((n) => n.op === 'Scan')).toBe(false);
    const out = await check(fixed, feeds, wrt, written);
    for (const name of wrt) reverse[name]!.forEach((v, i) => void expect(v).toBeCloseTo(out[name]![i]!, 5));
  });
});

describe('bodies inside bodies', () => {
  it('an If in a Scan in a Loop', async () => {
    const g = graph({ x: ['N', 3], w: [] }, (b) => {
      const [last] = b.ops('Loop', [b.constant(i64([2], [])), '', b.op('ReduceSum', ['x', b.ints([0])], { keepdims: 0 })], 1, {
        body: loopBody([['s', [3]]], (l) => {
          const [inner] = l.ops('Scan', ['s', 'x'], 1, {
            num_scan_inputs: 1,
            body: body(
              [
                ['h', [3]],
                ['row', [3]],
              ],
              (c) => {
                const sum = c.op('Mul', [c.op('Add', ['h', 'row']), 'w']);
                return [
                  c.op('If', [positive(c, 'row')], {
                    then_branch: body([], (d) => [d.op('Tanh', [sum], {}, 'z')]),
                    else_branch: body([], (d) => [d.op('Mul', [sum, 'row'], {}, 'z')]),
                  }),
                ];
              },
            ),
          });
          return [l.op('Identity', ['goes']), inner!];
        }),
      });
      return last!;
    });
    await check(g, { x: random([4, 3], 'nested'), w: f32([0.7], []) }, ['x', 'w']);
    await check(g, { x: random([4, 3], 'nested'), w: f32([0.7], []) }, ['x', 'w'], await prepare(g, runtime.execute));
  });
});

describe('what bodies must not hide', () => {
  it('cuts and surrogates inside them', async () => {
    const g = graph({ x: [4, 2] }, (b) => {
      const [last] = b.ops('Scan', [b.constant(f32([0, 0])), 'x'], 1, {
        num_scan_inputs: 1,
        body: body(
          [
            ['v', [2]],
            ['current', [2]],
          ],
          (c) => {
            const potential = c.op('Add', [c.op('Mul', ['v', c.number(0.5)]), 'current']);
            const spike = c.op('Cast', [c.op('Greater', [potential, c.number(1)], {}, 'spike')], { to: 1 });
            return [c.op('Sub', [potential, spike])];
          },
        ),
      });
      return last!;
    });
    const x = f32([2, 0.1, 0.2, 2, 0.3, 0.3, 1, 1], [4, 2]);
    const run = async (surrogates: readonly Surrogate[]) => {
      const made = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'], surrogates });
      return { ...made, dx: numbersOf((await runtime.execute(made.graph, { x }))[made.gradients.x!]!) };
    };
    const plain = await run([]);
    expect(plain.cuts).toEqual([{ node: 'spike', op: 'Greater' }]);
    // v_T = sum of 0.5^(T - t) x_t where the spikes count for nothing
    expect(plain.dx).toEqual([0.125, 0.125, 0.25, 0.25, 0.5, 0.5, 1, 1]);
    const rule: Surrogate['rule'] = ([dy], _node, { g: to, number }) => [
      dy === undefined ? undefined : to.op('Mul', [to.op('Cast', [dy], { to: 1 }), number(0.25, 'float32')]),
    ];
    const bent = await run([{ match: { op: 'Greater' }, label: 'a quarter', rule }]);
    expect(bent.cuts).toEqual([]);
    expect(bent.substitutes).toEqual([{ label: 'a quarter', at: 'spike' }]);
    // each turn hands on 1 - 0.25 of what it gets, and 0.5 of that to the turn before
    const expected = [3, 2, 1, 0].flatMap((k) => [0.75 * 0.375 ** k, 0.75 * 0.375 ** k]);
    bent.dx.forEach((v, i) => void expect(v).toBeCloseTo(expected[i]!, 6));
  });

  it('a length the data decides, from what comes after the loop', async () => {
    // the mean over as many states as the loop made
    const g = graph({ x: [3], n: [] }, (b) => {
      const [, all] = b.ops('Loop', [b.op('Cast', ['n'], { to: elementType('int64') }), '', 'x'], 2, {
        body: loopBody([['s', [3]]], (l) => {
          const next = l.op('Sin', [l.op('Mul', ['s', l.number(1.5)])]);
          return [l.op('Identity', ['goes']), next, next];
        }),
      });
      return b.op('ReduceMean', [all!, b.ints([0])], { keepdims: 0 });
    });
    for (const n of [1, 2, 6]) await check(g, { x: f32([0.5, 1, -0.3]), n: f32([n], []) }, ['x']);
  });

  it('a branch that cannot be run: refused where the gradient needs it, and only there', async () => {
    const g = graph({ x: ['N', 3], z: ['N', 3] }, (b) => {
      const h = b.op('If', [b.op('Greater', [b.op('ReduceMax', ['x'], { keepdims: 0 }), b.number(9)])], {
        then_branch: body([], (t) => [t.op('Reshape', [t.op('Mul', ['x', 'x']), t.ints([7, 3])])]),
        else_branch: body([], (t) => [t.op('Mul', ['x', t.number(2)])]),
      });
      return b.op('Mul', [h, 'z']);
    });
    const refused = gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(
      /^If ".*" \(output ".*"\) lies on the gradient path, and its "body" cannot be run for itself/,
    );
    const made = await gradient(g, runtime.execute, { of: ['y'], wrt: ['z'] });
    const { [made.gradients.z!]: dz } = await runtime.execute(made.graph, {
      x: f32([1, 2, 3], [1, 3]),
      z: f32([0, 0, 0], [1, 3]),
    });
    expect(numbersOf(dz!)).toEqual([2, 4, 6]);
  });

  it('branches of different sizes are refused', async () => {
    const g = graph({ x: [4] }, (b) => {
      const some = (n: number) => body([], (t) => [t.op('Slice', ['x', t.ints([0]), t.ints([n])])]);
      return b.op('ReduceSum', [b.op('If', [positive(b, 'x')], { then_branch: some(2), else_branch: some(3) })]);
    });
    await expect(gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] })).rejects.toThrow(
      'its branches give different sizes: [2] and [3]',
    );
  });

  it('differentiates a gradient through a loop again', async () => {
    // y = ((x^2)^2)^2 = x^8, y' = 8 x^7, y'' = 56 x^6
    const g = graph({ x: [2], n: [] }, (b) => {
      const [last] = b.ops('Loop', [b.op('Cast', ['n'], { to: elementType('int64') }), '', 'x'], 1, {
        body: loopBody([['s', [2]]], (l) => [l.op('Identity', ['goes']), l.op('Mul', ['s', 's'])]),
      });
      return last!;
    });
    const first = await gradient(g, runtime.execute, { of: ['y'], wrt: ['x'] });
    const second = await gradient(first.graph, runtime.execute, { of: [first.gradients.x!], wrt: ['x'] });
    const results = await runtime.execute(second.graph, { x: f32([1.1, 0.7]), n: f32([3], []) });
    [1.1, 0.7].forEach((x, i) => {
      expect(numbersOf(results[first.gradients.x!]!)[i]).toBeCloseTo(8 * x ** 7, 4);
      expect(numbersOf(results[second.gradients.x!]!)[i]).toBeCloseTo(56 * x ** 6, 3);
    });
  });
});

describe('written out and in reverse, random recurrences have the same gradients', () => {
  /** One turn: h' = f(h, part, w), and a result for the stack. */
  const steps: readonly ((b: GraphBuilder) => readonly [string, string])[] = [
    (b) => {
      const h = b.op('Tanh', [b.op('Add', [b.op('MatMul', ['h', 'w']), 'part'])]);
      return [h, b.op('Mul', [h, 'part'])];
    },
    (b) => [
      b.op('Add', [b.op('Mul', ['h', b.op('Sigmoid', ['part'])]), b.op('Sin', ['part'])]),
      b.op('Softmax', ['h'], { axis: 1 }),
    ],
    (b) => [b.op('Sub', ['h', b.op('Relu', [b.op('MatMul', ['part', 'w'])])]), b.op('ReduceSum', ['h', b.ints([1])])],
  ];
  const shapes = fc.record({
    step: fc.constantFrom(...steps),
    turns: fc.integer({ min: 1, max: 6 }),
    batch: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 1, max: 3 }),
    axis: fc.constantFrom(0, 1),
    input: fc.constantFrom(0, 1),
    output: fc.constantFrom(0, 1),
    seed: fc.integer(),
  });

  it('as a Scan', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ step, turns, batch, size, axis, input, output, seed }) => {
        const dims = axis === 0 ? [turns, batch, size] : [batch, turns, size];
        const g = graph({ x: dims, h0: [batch, size], w: [size, size] }, (b) => {
          const made = b.ops('Scan', ['h0', 'x'], 2, {
            num_scan_inputs: 1,
            scan_input_axes: [axis],
            scan_input_directions: [input],
            scan_output_axes: [axis],
            scan_output_directions: [output],
            body: body(
              [
                ['h', [batch, size]],
                ['part', [batch, size]],
              ],
              step,
            ),
          });
          return b.op(
            'Concat',
            made.map((v) => b.op('Reshape', [v, b.ints([-1])])),
            { axis: 0 },
          );
        });
        const feeds = { x: random(dims, `x${seed}`), h0: random([batch, size], `h${seed}`), w: random([size, size], `w${seed}`) };
        const written = await prepare(g, runtime.execute);
        expect(written.nodes.map((n) => n.op)).not.toContain('Scan');
        const [a, b] = [await gradientsAt(g, feeds), await gradientsAt(written, feeds)];
        for (const [i, value] of a.entries()) expect(disagreement(value, b[i]!)).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  async function gradientsAt(g: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<number[][]> {
    const wrt = Object.keys(feeds);
    const made = await gradient(g, runtime.execute, { of: ['y'], wrt });
    const results = await runtime.execute(made.graph, feeds);
    return wrt.map((name) => numbersOf(results[made.gradients[name]!]!));
  }
});
