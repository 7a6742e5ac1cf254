/** @file What the axes of a layer's potentials mean: batch, channel, and space beside them. */
import type { Node } from '../onnx/graph.ts';
import type { Firing } from './candidates.ts';
import type { SpikingLayer } from './layer.ts';
import { type Scene, throughElements } from './scene.ts';

/** The axes of what is compared; the channel is where the operation that makes the current puts it. */
export function axesOf(scene: Scene, f: Firing, time?: number): Pick<SpikingLayer, 'axes' | 'space'> {
  const { dims = [], batchAxes = [] } = scene.shape(f.floats[0]!) ?? {};
  const free = dims.map((_, axis) => axis).filter((axis) => axis !== time);
  const batch = batchAxes[0] ?? free.find((axis) => dims[axis] === null) ?? free[0] ?? 0;
  const rest = free.filter((axis) => axis !== batch);
  const mixer = nearestMixer(scene, f);
  // a step cut out of all keeps an axis of size 1 that the operation behind it does not have
  const more =
    mixer === undefined || time !== undefined ? 0 : dims.length - (scene.shape(mixer.outputs[0]!)?.dims.length ?? dims.length);
  const first = rest.find((axis, i) => i >= more || dims[axis] !== 1);
  const channel = (mixer !== undefined && last.has(mixer.op) ? rest.at(-1) : first) ?? batch;
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

/** The nearest operation that mixes elements and says where channels are; nothing between it and here may move axes. */
function nearestMixer(scene: Scene, f: Firing): Node | undefined {
  const seen = new Set<string>();
  let open = [f.potentials.at(-1)!];
  while (open.length > 0) {
    const next: string[] = [];
    for (const name of open) {
      const node = seen.has(name) || !scene.live(name) ? undefined : scene.producer(name);
      seen.add(name);
      if (node === undefined) continue;
      if (second.has(node.op) || last.has(node.op)) return node;
      if (node.op === 'Gather' || node.op === 'Slice' || node.op === 'Split' || dividesBatch(scene, node))
        next.push(node.inputs[0]!);
      next.push(...throughElements(scene, node));
    }
    open = next;
  }
  return undefined;
}

/** Whether a Reshape makes batch and time of what an operation had as its batch, all else being where it was. */
function dividesBatch(scene: Scene, node: Node): boolean {
  if (node.op !== 'Reshape') return false;
  const [from, to] = [scene.shape(node.inputs[0]!)?.dims, scene.shape(node.outputs[0]!)?.dims];
  return from !== undefined && to?.length === from.length + 1 && from.slice(1).join() === to.slice(2).join();
}
