"""Derivative cases of patches and of images brought to a size."""

import numpy as np
import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant

n = Numbers(31)
f = CaseFile("patches")


def ints(*values):
    return constant(np.array(values, dtype=np.int64))


def fold(size, kernel, **more):
    return lambda x, *_: F.fold(x, size, kernel, **more)


f.add("Col2Im", "Col2Im", fold((5, 6), (2, 3)), [n.normal(2, 12, 16), ints(5, 6), ints(2, 3)], batch=True)
f.add("Col2Im, strides, pads and dilations", "Col2Im", fold((6, 7), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(2, 3)),
      [n.normal(2, 12, 9), ints(6, 7), ints(2, 3)], {"dilations": [2, 1], "pads": [1, 2, 1, 2], "strides": [2, 3]}, batch=True)


def center(sizes, axes):
    def of(x, *_):
        for axis, to in zip(axes, sizes):
            size = x.shape[axis]
            if to < size:
                x = x.narrow(axis, (size - to) // 2, to)
            else:
                before = (to - size) // 2
                pads = [0] * (2 * x.dim())
                pads[2 * (x.dim() - 1 - axis)] = before
                pads[2 * (x.dim() - 1 - axis) + 1] = to - size - before
                x = F.pad(x, pads)
        return x * 1

    return of


f.add("CenterCropPad, cut and filled", "CenterCropPad", center((4, 8), (1, 2)), [n.normal(2, 7, 5), ints(4, 8)], {"axes": [1, 2]}, batch=True)
f.add("CenterCropPad, axis from the end", "CenterCropPad", center((6,), (2,)), [n.normal(2, 3, 9), ints(6)], {"axes": [-1]}, batch=True)
f.add("CenterCropPad, all axes", "CenterCropPad", center((2, 5), (0, 1)), [n.normal(3, 4), ints(2, 5)])

f.write()
