"""Derivative cases of reductions and cumulative sums."""

import numpy as np
import torch
from casefile import CaseFile, Numbers, constant

n = Numbers(3)
f = CaseFile("reductions")


def product(x, dim, keepdim):
    for d in sorted((a % x.dim() for a in dim), reverse=True):
        x = torch.prod(x, d, keepdim=keepdim)
    return x


OPS = {
    "ReduceSum": (torch.sum, n.normal),
    "ReduceMean": (torch.mean, n.normal),
    "ReduceMax": (torch.amax, n.apart),
    "ReduceMin": (torch.amin, n.apart),
    "ReduceProd": (product, lambda *d: n.apart(*d) / 2),
    "ReduceL1": (lambda x, dim, keepdim: x.abs().sum(dim, keepdim), n.apart),
    "ReduceL2": (lambda x, dim, keepdim: x.square().sum(dim, keepdim).sqrt(), n.normal),
    "ReduceLogSum": (lambda x, dim, keepdim: x.sum(dim, keepdim).log(), lambda *d: n.uniform(0.1, 2, *d)),
    "ReduceLogSumExp": (torch.logsumexp, lambda *d: n.uniform(-4, 4, *d)),
    "ReduceSumSquare": (lambda x, dim, keepdim: x.square().sum(dim, keepdim), n.normal),
}


def over(function, axes, keepdims=1):
    return lambda x, *_: function(x, tuple(range(x.dim())) if axes is None else axes, bool(keepdims))


for op, (function, draw) in OPS.items():

    def case(label, dims, axes, keepdims=1, given=True, **options):
        inputs = [draw(*dims)] + ([constant(np.array(axes or [], dtype=np.int64))] if given else [])
        f.add(f"{op}, {label}", op, over(function, axes, keepdims), inputs, attrs={"keepdims": keepdims}, **options)

    case("one axis kept", (4, 3, 2), (1,), batch=True)
    case("one axis dropped", (4, 3, 2), (1,), 0, batch=True)
    case("negative axes dropped", (4, 3, 2), (-1, -2), 0, batch=True)
    case("first and last axis kept", (4, 3, 2), (0, -1))
    case("batch axis dropped", (4, 3), (0,), 0, batch=True)
    case("all axes, none given", (4, 3), None, 0, given=False, batch=True)
    case("all axes kept, none given", (4, 3), None, 1, given=False)
    case("all axes, empty list", (4, 3), None, 0, batch=True)

f.add("ReduceSum, empty axes and noop", "ReduceSum", lambda x, _: x * 1, [n.normal(4, 3), constant(np.array([], dtype=np.int64))],
      attrs={"noop_with_empty_axes": 1}, batch=True)
f.add("ReduceSum, no axes and noop", "ReduceSum", lambda x: x * 1, [n.normal(4, 3)], attrs={"noop_with_empty_axes": 1})
f.add("ReduceMean, empty axes and noop", "ReduceMean", lambda x, _: x * 1, [n.normal(4, 3), constant(np.array([], dtype=np.int64))],
      attrs={"noop_with_empty_axes": 1, "keepdims": 0}, batch=True)
axis1 = constant(np.array([1], dtype=np.int64))
tied = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [1.0, 0.0, 5.0]]
f.add("ReduceMax, tied", "ReduceMax", over(torch.amax, (1,)), [tied, axis1], kink=True)
f.add("ReduceMin, tied", "ReduceMin", over(torch.amin, (1,), 0), [tied, axis1], attrs={"keepdims": 0}, kink=True)
zeros = [[2.0, 0.0, 3.0], [0.0, 2.0, 0.0], [1.0, 5.0, 3.0]]
f.add("ReduceProd with zeros", "ReduceProd", over(product, (1,)), [zeros, axis1])
f.add("ReduceLogSumExp, large values", "ReduceLogSumExp", over(torch.logsumexp, (1,)), [[[100.0, 101.5, 90.0], [-100.0, -98.0, -97.0]], axis1])
f.add("ReduceL2 of a zero row", "ReduceL2", lambda x, _: torch.linalg.vector_norm(x, dim=1, keepdim=True), [[[0.0, 0.0], [3.0, 4.0]], axis1], kink=True)

for exclusive in (0, 1):
    for reverse in (0, 1):

        def cumulative(x, _, exclusive=exclusive, reverse=reverse):
            x = torch.flip(x, [1]) if reverse else x
            total = torch.cumsum(x, 1) - (x if exclusive else 0)
            return torch.flip(total, [1]) if reverse else total

        f.add(f"CumSum, exclusive {exclusive}, reverse {reverse}", "CumSum", cumulative,
              [n.normal(4, 5, 2), constant(np.array(1, dtype=np.int64))], attrs={"exclusive": exclusive, "reverse": reverse}, batch=True)
f.add("CumSum, negative axis", "CumSum", lambda x, _: torch.cumsum(x, -1), [n.normal(4, 5), constant(np.array(-1, dtype=np.int64))])

f.write()
