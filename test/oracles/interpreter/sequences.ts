import { intOf, stringOf } from '../../../src/core/onnx/graph.ts';
import { axisOf, f64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex } from './windows.ts';

const moved = (index: readonly number[], axis: number, to: number): number[] => index.map((v, i) => (i === axis ? to : v));

export const sequences: Kernels = {
  ReverseSequence([x, lengths], node) {
    const [time, batch] = [intOf(node, 'time_axis', 0), intOf(node, 'batch_axis', 1)];
    return [
      filledBy(x!.dims, (index) => {
        const [t, length] = [index[time]!, lengths!.data[index[batch]!]!];
        return x!.data[offsetOf(x!.dims, moved(index, time, t < length ? length - 1 - t : t))]!;
      }),
    ];
  },

  CumProd([x, axes], node) {
    const axis = axisOf(axes!.data[0]!, x!.dims.length);
    const [exclusive, reverse] = [intOf(node, 'exclusive', 0) === 1, intOf(node, 'reverse', 0) === 1];
    return [
      filledBy(x!.dims, (index) => {
        let product = 1;
        for (let k = 0; k < x!.dims[axis]!; k++) {
          const before = reverse ? k > index[axis]! : k < index[axis]!;
          if (before || (k === index[axis] && !exclusive)) product *= x!.data[offsetOf(x!.dims, moved(index, axis, k))]!;
        }
        return product;
      }),
    ];
  },

  TensorScatter([cache, update, starts], node) {
    const axis = axisOf(intOf(node, 'axis', -2), cache!.dims.length);
    const y = f64(cache!.dims, cache!.data.slice());
    everyIndex(update!.dims, (index) => {
      const place = (starts?.data[index[0]!] ?? 0) + index[axis]!;
      const to = stringOf(node, 'mode', 'linear') === 'circular' ? place % cache!.dims[axis]! : place;
      y.data[offsetOf(y.dims, moved(index, axis, to))] = update!.data[offsetOf(update!.dims, index)]!;
    });
    return [y];
  },
};
