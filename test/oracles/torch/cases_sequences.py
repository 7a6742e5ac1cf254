"""Derivative cases of operations along a sequence."""

import numpy as np
import torch
from casefile import CaseFile, Input, Numbers, constant

n = Numbers(26)
f = CaseFile("sequences")


def whole(*values):
    return Input(np.array(values, dtype=np.int64))


def reverse(name, shape, lengths, time=0, batch=1):
    def function(x, lengths):
        x = x.movedim((batch, time), (0, 1))
        rows = [torch.cat([row[:k].flip(0), row[k:]]) for row, k in zip(x, lengths.tolist())]
        return torch.stack(rows).movedim((0, 1), (batch, time))

    f.add(name, "ReverseSequence", function, [n.normal(*shape), whole(*lengths)], {"time_axis": time, "batch_axis": batch})


reverse("ReverseSequence", [4, 3, 2], [4, 1, 3])
reverse("ReverseSequence, batch first", [3, 4, 2], [2, 4, 1], 1, 0)


def cumprod(name, x, axis, exclusive=0, reverse=0, batch=None):
    def function(x, _):
        y = x.flip(axis) if reverse else x
        y = torch.cumprod(y, axis)
        if exclusive:
            y = torch.cat([torch.ones_like(y.narrow(axis, 0, 1)), y.narrow(axis, 0, y.shape[axis] - 1)], axis)
        return y.flip(axis) if reverse else y

    inputs = [x, constant(np.array(axis, dtype=np.int64))]
    f.add(name, "CumProd", function, inputs, {"exclusive": exclusive, "reverse": reverse}, opset=26, batch=batch)


for exclusive in (0, 1):
    for backwards in (0, 1):
        cumprod(f"CumProd, exclusive {exclusive}, reverse {backwards}", n.normal(2, 4, 3), 1, exclusive, backwards, batch=True)
cumprod("CumProd along the last axis", n.normal(3, 4), -1, batch=True)
zeros = n.normal(2, 5)
zeros[0, 1] = 0
zeros[1, [0, 3]] = 0
cumprod("CumProd with zeros", zeros, 1)


def cache(name, shape, size, starts, axis=-2, mode="linear"):
    def function(past, update, starts=None):
        starts = torch.zeros(shape[0], dtype=torch.int64) if starts is None else starts
        along = axis % len(shape)
        places = torch.arange(size) + starts.reshape(-1, 1)
        places = places % shape[along] if mode == "circular" else places
        view = [1] * len(shape)
        view[0], view[along] = shape[0], size
        return past.scatter(along, places.reshape(view).expand(update.shape), update)

    updated = list(shape)
    updated[axis] = size
    inputs = [n.normal(*shape), n.normal(*updated)] + ([] if starts is None else [whole(*starts)])
    f.add(name, "TensorScatter", function, inputs, {"axis": axis, "mode": mode}, opset=24)


cache("TensorScatter", [2, 2, 5, 3], 2, [1, 3])
cache("TensorScatter from the start", [2, 5, 3], 2, None)
cache("TensorScatter circular", [2, 5, 3], 3, [4, 1], 1, "circular")

f.write()
