/** @file What the axes of a layer's potentials mean: batch, channel, and space beside them. */
import type { Firing } from './candidates.ts';
import type { SpikingLayer } from './layer.ts';
import { type Scene, throughElements } from './scene.ts';

/** The axes of what is compared; the channel is where the operation that makes the current puts it. */
export function axesOf(scene: Scene, f: Firing, time?: number): Pick<SpikingLayer, 'axes' | 'space'> {
  const { dims = [], batchAxes = [] } = scene.shape(f.floats[0]!) ?? {};
  const free = dims.map((_, axis) => axis).filter((axis) => axis !== time);
  const batch = batchAxes[0] ?? free.find((axis) => dims[axis] === null) ?? free[0] ?? 0;
  const rest = free.filter((axis) => axis !== batch);
  const channel = (channelsLast(scene, f) ? rest.at(-1) : rest[0]) ?? batch;
  const places = rest.filter((axis) => axis !== channel).map((axis) => dims[axis]);
  return {
    axes: { batch, channel, ...(time === undefined ? {} : { time }) },
    ...(places.every((d) => typeof d === 'number') ? { space: places.reduce<number>((size, d) => size * (d as number), 1) } : {}),
  };
}

/** Operations that put channels on axis 1, and those that put them last. */
const second = new Set([
  'Conv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'BatchNormalization',
  'InstanceNormalization',
]);
const last = new Set(['MatMul', 'Gemm', 'LayerNormalization']);

/** Whether the nearest operation that mixes elements is one that has its channels on the last axis; nothing between it and here may move axes. */
function channelsLast(scene: Scene, f: Firing): boolean {
  const seen = new Set<string>();
  let open = [f.potentials.at(-1)!];
  while (open.length > 0) {
    const next: string[] = [];
    for (const name of open) {
      const node = seen.has(name) || !scene.live(name) ? undefined : scene.producer(name);
      seen.add(name);
      if (node === undefined) continue;
      if (second.has(node.op)) return false;
      if (last.has(node.op)) return true;
      if (node.op === 'Gather' || node.op === 'Slice' || node.op === 'Split') next.push(node.inputs[0]!);
      next.push(...throughElements(scene, node));
    }
    open = next;
  }
  return false;
}
