"""Derivative cases of Conv and ConvTranspose, with weights as constants and as inputs."""

import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant
from windows import torch_pads

n = Numbers(11)
f = CaseFile("convolution")
forward = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
transposed = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def filled(strides, dilations, pads, rank):
    return strides or [1] * rank, dilations or [1] * rank, pads or [0] * 2 * rank


def operands(x, w, bias, fixed):
    weights = n.normal(*w) * 0.5
    inputs = [n.normal(*x), constant(weights) if fixed else weights]
    return inputs if bias is None else [*inputs, constant(n.normal(bias)) if fixed else n.normal(bias)]


def conv(name, x, w, strides=None, dilations=None, pads=None, group=1, bias=False, fixed=True, batch=True):
    rank = len(w) - 2
    strides, dilations, pads = filled(strides, dilations, pads, rank)

    def function(x, w, b=None):
        return forward[rank](F.pad(x, torch_pads(pads)), w, b, stride=strides, dilation=dilations, groups=group)

    attrs = {"strides": strides, "dilations": dilations, "pads": pads, "group": group}
    f.add(name, "Conv", function, operands(x, w, w[0] if bias else None, fixed), attrs, batch=True if batch else None)


def conv_transpose(name, x, w, strides=None, dilations=None, pads=None, group=1, extra=None, shape=None, bias=False, fixed=True):
    rank = len(w) - 2
    strides, dilations, pads = filled(strides, dilations, pads, rank)
    extra = extra or [0] * rank
    attrs = {"strides": strides, "dilations": dilations, "group": group, "output_padding": extra}
    full = [s * (i - 1) + e + d * (k - 1) + 1 for s, i, e, d, k in zip(strides, x[2:], extra, dilations, w[2:])]
    if shape is None:
        attrs["pads"] = pads
    else:
        attrs["output_shape"] = shape
        total = [a - b for a, b in zip(full, shape)]
        pads = [t - t // 2 for t in total] + [t // 2 for t in total]

    def function(x, w, b=None):
        y = transposed[rank](x, w, b, stride=strides, dilation=dilations, groups=group, output_padding=extra)
        for axis in range(rank):
            y = y.narrow(axis + 2, pads[axis], full[axis] - pads[axis] - pads[axis + rank])
        return y

    f.add(name, "ConvTranspose", function, operands(x, w, w[1] * group if bias else None, fixed), attrs, batch=True)


for fixed in (True, False):
    kind = "constant weights" if fixed else "weights as inputs"
    conv(f"Conv 1-D, {kind}", [2, 3, 9], [4, 3, 5], pads=[2, 2], bias=True, fixed=fixed)
    conv(f"Conv 1-D stride 3 dilation 2, {kind}", [2, 2, 14], [3, 2, 3], strides=[3], dilations=[2], pads=[2, 1], fixed=fixed)
    conv(f"Conv 2-D, asymmetric pads, {kind}", [2, 2, 6, 5], [3, 2, 3, 2], pads=[1, 0, 2, 1], bias=True, fixed=fixed)
    conv(f"Conv 2-D stride 2, odd size, {kind}", [2, 2, 7, 6], [3, 2, 3, 3], strides=[2, 2], pads=[1, 1, 1, 1], fixed=fixed)
    conv(f"Conv 2-D 2 groups, {kind}", [2, 4, 5, 4], [6, 2, 2, 3], group=2, pads=[0, 1, 1, 1], fixed=fixed)
    conv(f"Conv 2-D 2 groups stride 2, {kind}", [2, 4, 6, 5], [2, 2, 3, 2], group=2, strides=[2, 2], pads=[1, 0, 0, 1], fixed=fixed)
    conv(f"Conv 2-D depthwise, two per channel, {kind}", [2, 3, 5, 5], [6, 1, 3, 3], group=3, pads=[1, 1, 1, 1], fixed=fixed)
    conv(f"Conv 2-D depthwise stride 2, {kind}", [2, 3, 6, 5], [3, 1, 3, 3], group=3, strides=[2, 2], pads=[1, 1, 1, 1], fixed=fixed)
    conv(f"Conv 3-D, {kind}", [2, 2, 3, 4, 3], [2, 2, 2, 3, 3], pads=[0, 1, 1, 1, 1, 0], bias=True, fixed=fixed)
    conv(f"Conv 3-D stride 1 2 2, {kind}", [2, 2, 3, 4, 5], [2, 2, 3, 3, 2], strides=[1, 2, 2], pads=[1, 1, 0, 1, 0, 1], fixed=fixed)
    conv(f"Conv 3-D stride 2 1 1, {kind}", [2, 2, 4, 3, 3], [2, 2, 3, 2, 1], strides=[2, 1, 1], pads=[1, 1, 0, 0, 0, 0], fixed=fixed)
    conv(f"Conv 3-D stride 2, {kind}", [2, 2, 4, 4, 5], [2, 2, 3, 2, 3], strides=[2, 2, 2], pads=[1, 0, 1, 1, 1, 1], fixed=fixed)
conv("Conv 1-D stride beyond the kernel", [2, 2, 12], [2, 2, 2], strides=[5], pads=[0, 0])
conv("Conv 1-D, one sample, fixed batch", [1, 2, 7], [3, 2, 3], strides=[2], batch=False)
conv("Conv 2-D pads beyond the kernel", [2, 2, 4, 3], [2, 2, 2, 1], pads=[3, 1, 2, 2])
conv("Conv 2-D 1x1 stride 2", [2, 3, 6, 5], [2, 3, 1, 1], strides=[2, 2])
conv("Conv 2-D 1x1 stride 2, padded", [2, 2, 4, 5], [2, 2, 1, 1], strides=[2, 2], pads=[1, 1, 1, 0])
conv("Conv 2-D dilation", [2, 2, 7, 7], [2, 2, 3, 2], dilations=[2, 3], pads=[2, 1, 1, 3])
conv("Conv 2-D dilation 2 with stride 2 and 3", [2, 2, 9, 8], [2, 2, 3, 2], strides=[2, 3], dilations=[2, 2], pads=[1, 0, 2, 1])
conv("Conv 2-D stride beyond the kernel, end not covered", [2, 2, 8, 9], [2, 2, 2, 1], strides=[3, 4], fixed=False)
conv("Conv 3-D 2 groups stride 2 dilation 2", [2, 4, 5, 5, 4], [2, 2, 2, 2, 2], strides=[2, 2, 2], dilations=[2, 2, 1], group=2, fixed=False)
conv("Conv 3-D depthwise", [2, 2, 3, 3, 3], [2, 1, 3, 3, 3], group=2, pads=[1, 1, 1, 1, 1, 1])

for fixed in (True, False):
    kind = "constant weights" if fixed else "weights as inputs"
    conv_transpose(f"ConvTranspose 1-D, {kind}", [2, 2, 5], [2, 3, 4], strides=[2], pads=[1, 2], bias=True, fixed=fixed)
    conv_transpose(f"ConvTranspose 2-D, {kind}", [2, 2, 3, 4], [2, 3, 3, 2], strides=[2, 3], pads=[1, 0, 0, 1], extra=[1, 0], bias=True, fixed=fixed)
    conv_transpose(f"ConvTranspose 2-D 2 groups dilation 2, {kind}", [2, 4, 3, 3], [4, 1, 2, 3], dilations=[2, 1], group=2, strides=[1, 2], fixed=fixed)
    conv_transpose(f"ConvTranspose 3-D, {kind}", [2, 2, 2, 3, 2], [2, 2, 2, 2, 3], strides=[2, 1, 2], pads=[0, 1, 1, 0, 0, 1], fixed=fixed)
conv_transpose("ConvTranspose dilation beyond the stride", [2, 2, 3], [2, 2, 2], strides=[2], dilations=[3], extra=[1])
conv_transpose("ConvTranspose output padding beyond the end pad", [2, 2, 3, 3], [2, 2, 2, 2], strides=[3, 3], pads=[0, 1, 1, 0], extra=[2, 2])
conv_transpose("ConvTranspose output_shape", [2, 2, 3, 4], [2, 2, 3, 3], strides=[2, 2], shape=[6, 8])
conv_transpose("ConvTranspose output_shape, output padding", [2, 2, 3, 3], [2, 2, 3, 3], strides=[2, 2], extra=[1, 1], shape=[7, 6], fixed=False)

f.write()
