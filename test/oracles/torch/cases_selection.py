"""Derivative cases of elements kept, put in place or chosen, and of determinants."""

import numpy as np
import torch
import torch.nn.functional as F
from casefile import CaseFile, Input, Numbers, constant

n = Numbers(27)
f = CaseFile("selection")


def compress(name, shape, flags, axis=None, batch=None):
    flags = np.array(flags, dtype=bool)

    def function(x, c):
        places = torch.nonzero(c).flatten()
        return x.flatten()[places] if axis is None else x.index_select(axis, places)

    f.add(name, "Compress", function, [n.normal(*shape), constant(flags)], {} if axis is None else {"axis": axis}, batch=batch)


compress("Compress", [3, 4], [1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0])
compress("Compress along an axis", [2, 4, 3], [0, 1, 1, 0], 1, True)
compress("Compress, condition shorter than the axis", [2, 4], [1, 0, 1], -1, True)


def unpool(name, shape, kernel, stride, pool, unpool, batch=True):
    _, at = pool(n.apart(*shape), kernel, stride)
    pooled = list(at.shape)
    # ONNX counts over the whole tensor, PyTorch over each channel
    size = int(np.prod(shape[2:]))
    offsets = torch.arange(pooled[0] * pooled[1]).reshape(pooled[0], pooled[1], *[1] * len(shape[2:])) * size
    attrs = {"kernel_shape": [kernel] * len(shape[2:]), "strides": [stride] * len(shape[2:])}
    function = lambda x, i: unpool(x, i - offsets, kernel, stride)
    f.add(name, "MaxUnpool", function, [n.normal(*pooled), constant((at + offsets).numpy())], attrs)


unpool("MaxUnpool", [2, 2, 4, 6], 2, 2, lambda x, k, s: F.max_pool2d(torch.tensor(x), k, s, return_indices=True), F.max_unpool2d)
unpool("MaxUnpool 1-D", [2, 3, 9], 3, 3, lambda x, k, s: F.max_pool1d(torch.tensor(x), k, s, return_indices=True), F.max_unpool1d)
unpool("MaxUnpool 3-D", [1, 2, 4, 2, 4], 2, 2, lambda x, k, s: F.max_pool3d(torch.tensor(x), k, s, return_indices=True), F.max_unpool3d)


def one_hot(name, indices, depth, axis=-1):
    indices = np.array(indices, dtype=np.int64)

    def function(i, d, values):
        on = F.one_hot(i % depth, depth).movedim(-1, axis)
        return torch.where(on == 1, values[1], values[0])

    f.add(name, "OneHot", function, [Input(indices), constant(np.array(depth, dtype=np.int64)), n.normal(2)], {"axis": axis})


one_hot("OneHot", [1, 0, 3, -1], 4)
one_hot("OneHot along the first axis", [[1, 0], [2, 2]], 3, 0)

for name, shape in (("Det", [4, 3, 3]), ("Det of one", [3, 1, 1]), ("Det of two", [2, 2, 2]), ("Det of five", [2, 2, 5, 5])):
    f.add(name, "Det", torch.linalg.det, [n.normal(*shape)], batch=True)
f.add("Det of one matrix", "Det", torch.linalg.det, [n.normal(4, 4)])


def laplace(x):
    return sum(x[0, j] * (x[1, (j + 1) % 3] * x[2, (j + 2) % 3] - x[1, (j + 2) % 3] * x[2, (j + 1) % 3]) for j in range(3))


singular = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0], [1.5, 1.0, 5.0]])
f.add("Det of a singular matrix", "Det", laplace, [singular])

f.add("CastLike", "CastLike", lambda x, _: x, [n.normal(2, 3), constant(np.zeros(1))], batch=True)

f.write()
