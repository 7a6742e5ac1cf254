"""Derivative cases of operations that pick or place elements."""

import numpy as np
import torch
import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant
from windows import torch_pads

n = Numbers(15)
f = CaseFile("indexing")
END = 2**63 - 1


def ints(*values):
    return constant(np.array(values, dtype=np.int64))


def picked(size, start, end, step):
    """Positions ONNX's Slice takes from an axis: Python's, with an end beyond the front written as a very negative number."""
    return list(range(size))[slice(start, None if end < -size or end == END else end, step)]


def sliced(name, x, starts, ends, axes=None, steps=None, batch=True):
    wanted = list(zip(axes or range(len(starts)), starts, ends, steps or [1] * len(starts)))
    at = [np.arange(d) for d in x]
    for axis, start, end, step in wanted:
        at[axis] = np.array(picked(x[axis], start, end, step), dtype=int)
    index = torch.tensor(np.ravel_multi_index(np.ix_(*at), x))
    lists = [starts, ends, axes, steps]
    while lists[-1] is None:
        lists.pop()
    array = lambda v: None if v is None else ints(*v)
    f.add(name, "Slice", lambda x, *_: x.flatten()[index], [n.normal(*x), *map(array, lists)], batch=True if batch else None)


sliced("Slice", [3, 5, 4], [1, 0], [4, 3], [1, 2])
sliced("Slice without axes", [4, 5], [1, 2], [3, 5], batch=False)
sliced("Slice negative bounds and axes", [2, 6, 5], [-4, -3], [-1, END], [-1, 1])
sliced("Slice steps", [2, 7, 8], [0, 1], [END, 8], [1, 2], [3, 2])
sliced("Slice negative steps", [2, 7, 6], [-1, 4], [-(2**63), 0], [1, 2], [-1, -2])
sliced("Slice mixed steps", [2, 6, 7, 3], [5, 1, -3], [1, -1, END], [1, 2, 3], [-2, 3, 1])
sliced("Slice bounds beyond the ends", [3, 4], [-100], [100], [1])
sliced("Slice of nothing", [3, 4], [3], [2], [1])
sliced("Slice all of the batch", [3, 4], [0, 1], [END, 3], [0, 1])
sliced("Slice the batch", [4, 3], [1], [END], [0])
sliced("Slice every second of the batch, backwards", [5, 3], [-1], [-(2**63)], [0], [-2])


def gather(name, x, indices, axis, batch=True, fed=False):
    indices = np.array(indices, dtype=np.int64)
    wrapped = torch.tensor(np.where(indices < 0, indices + x[axis], indices))

    def function(x, i):
        rows = x.index_select(axis, wrapped.reshape(-1))
        a = axis % x.dim()
        return rows.reshape(*x.shape[:a], *wrapped.shape, *x.shape[a + 1 :])

    f.add(name, "Gather", function, [n.normal(*x), indices if fed else constant(indices)], {"axis": axis}, batch=True if batch else None)


gather("Gather repeated and negative", [3, 5, 2], [0, -1, 0, 2], 1)
gather("Gather first axis", [5, 3], [4, 0, 0], 0, batch=False)
gather("Gather first axis, indices fed", [5, 3], [[4, -5], [0, 4]], 0, batch=False, fed=True)
gather("Gather of the batch", [4, 3], [0, 1, 1], 0)
gather("Gather one of the batch", [4, 3], 1, 0)
gather("Gather a scalar index", [3, 4, 2], 0, 1)
gather("Gather a negative scalar index", [3, 4, 2], -1, 2)
gather("Gather a run", [3, 6], [2, 3, 4], 1)
gather("Gather a permutation", [3, 4, 2], [2, 0, 3, 1], 1)
gather("Gather last axis, index matrix", [2, 3, 4], [[0, 1], [3, 3], [-2, 0]], -1)
gather("Gather middle axis, indices fed", [2, 4, 3], [[1, -1, 1], [0, 2, 1]], 1, fed=True)
gather("Gather, scalar index fed", [2, 4, 3], 2, 1, fed=True)


def gather_elements(name, x, indices, axis, batch=None):
    indices = np.array(indices, dtype=np.int64)
    wrapped = torch.tensor(np.where(indices < 0, indices + x[axis], indices))
    f.add(name, "GatherElements", lambda x, i: x.gather(axis, wrapped), [n.normal(*x), indices], {"axis": axis}, batch=batch)


gather_elements("GatherElements", [3, 4], [[0, 0, -1], [1, 2, 2], [3, 1, 0]], 1, batch=[0, 1])
gather_elements("GatherElements first axis, fewer", [4, 3], [[0, -1], [2, 2]], 0)


def tuples_of(x, indices, batch_dims):
    """For every tuple, the index of x it picks, batch coordinates included."""
    outer = indices.shape[:-1]
    where = np.indices(outer)
    columns = [where[a] for a in range(batch_dims)]
    for i in range(indices.shape[-1]):
        column = indices[..., i]
        columns.append(np.where(column < 0, column + x[batch_dims + i], column))
    return tuple(torch.tensor(c) for c in columns)


def gather_nd(name, x, indices, batch_dims=0, batch=None):
    indices = np.array(indices, dtype=np.int64)
    at = tuples_of(x, indices, batch_dims)
    f.add(name, "GatherND", lambda x, i: x[at], [n.normal(*x), indices], {"batch_dims": batch_dims}, batch=batch)


gather_nd("GatherND elements", [3, 4], [[0, 1], [2, -1], [0, 1]])
gather_nd("GatherND rows", [3, 4, 2], [[[0], [2]], [[-1], [0]]])
gather_nd("GatherND batch_dims 1", [2, 4, 3], [[[0], [3], [0]], [[1], [-1], [2]]], 1, batch=[0, 1])
gather_nd("GatherND batch_dims 2", [2, 3, 4], [[[1], [0], [-1]], [[3], [2], [2]]], 2, batch=[0, 1])
gather_nd("GatherND batch_dims 1, tuples", [2, 3, 4, 2], [[[0, 1], [0, 1]], [[2, -1], [1, 0]]], 1, batch=[0, 1])


def numpy_pad(x, pads, mode):
    """Padding by a table of positions, cropping first where pads are negative."""
    rank = len(pads) // 2
    for axis in range(rank):
        before, after = pads[axis], pads[axis + rank]
        size = x.shape[axis]
        x = x.narrow(axis, max(0, -before), size - max(0, -before) - max(0, -after))
        at = torch.tensor(np.pad(np.arange(x.shape[axis]), (max(0, before), max(0, after)), mode=mode))
        x = x.index_select(axis, at)
    return x


def pad(name, x, pads, mode="constant", axes=None, value=None, batch=True):
    rank = len(x)
    full = pads
    if axes is not None:
        full = [0] * 2 * rank
        for i, axis in enumerate(axes):
            full[axis % rank], full[axis % rank + rank] = pads[i], pads[i + len(axes)]

    def function(x, p, v=None, a=None):
        if mode != "constant":
            return numpy_pad(x, full, mode)
        if v is None:
            return F.pad(x, torch_pads(full))
        kept = F.pad(x, torch_pads(full))
        return kept + v * (1 - F.pad(torch.ones_like(x), torch_pads(full)))

    inputs = [n.normal(*x), ints(*pads), value, None if axes is None else ints(*axes)]
    while inputs[-1] is None:
        inputs.pop()
    f.add(name, "Pad", function, inputs, {"mode": mode}, batch=True if batch else None)


pad("Pad", [3, 4, 2], [0, 1, 2, 0, 3, 0])
pad("Pad, constant value", [3, 4], [0, 1, 0, 2], value=constant(np.array(1.5)))
pad("Pad, value differentiated", [3, 4], [1, 1, 0, 2], value=n.normal(), batch=False)
pad("Pad, negative pads", [3, 5, 4], [0, -1, 2, 0, 1, -3])
pad("Pad, axes", [3, 4, 5], [1, 2, 0, -1], axes=[2, -2])
pad("Pad the batch", [3, 4], [1, 0, 2, 0])
for mode in ("reflect", "edge", "wrap"):
    pad(f"Pad {mode}", [2, 4, 5], [0, 3, 2, 0, 1, 4], mode)
    pad(f"Pad {mode}, one side, axes", [2, 3, 6], [0, 4], mode, axes=[-1])
pad("Pad reflect, batch rows", [4, 3], [0, 2, 0, 1], "reflect")
pad("Pad edge, negative and positive", [2, 6], [0, -2, 0, 3], "edge")


def scatter_elements(name, x, indices, axis, reduction="none", batch=None):
    indices = np.array(indices, dtype=np.int64)
    at = torch.tensor(np.where(indices < 0, indices + x[axis], indices))

    def function(x, i, u):
        return x.scatter_add(axis, at, u) if reduction == "add" else x.scatter(axis, at, u)

    attrs = {"axis": axis} if reduction == "none" else {"axis": axis, "reduction": reduction}
    f.add(name, "ScatterElements", function, [n.normal(*x), indices, n.normal(*indices.shape)], attrs, batch=batch)


scatter_elements("ScatterElements", [3, 5], [[1, -1], [0, 2], [4, 3]], 1, batch=[0, 1, 2])
scatter_elements("ScatterElements first axis", [4, 3], [[3, 0, 1], [1, 2, -1]], 0)
scatter_elements("ScatterElements add, repeated", [3, 5], [[1, 1, -1], [0, 0, 0], [4, 3, 4]], 1, "add", batch=[0, 1, 2])


def scatter_nd(name, x, indices, reduction="none"):
    indices = np.array(indices, dtype=np.int64)
    at = tuples_of(x, indices, 0)
    updates = n.normal(*indices.shape[:-1], *x[indices.shape[-1] :])
    attrs = {} if reduction == "none" else {"reduction": reduction}
    f.add(name, "ScatterND", lambda x, i, u: x.index_put(at, u, accumulate=reduction == "add"), [n.normal(*x), indices, updates], attrs)


scatter_nd("ScatterND elements", [3, 4], [[0, 1], [2, -1]])
scatter_nd("ScatterND rows", [4, 3], [[-1], [1]])
scatter_nd("ScatterND rows add, repeated", [4, 3, 2], [[[0], [2]], [[0], [3]]], "add")

for largest in (1, 0):
    for axis in (-1, 1):
        function = lambda x, k, a=axis, l=largest: tuple(x.topk(2, a, largest=bool(l)))
        attrs = {"axis": axis, "largest": largest}
        f.add(f"TopK axis {axis}, {'largest' if largest else 'smallest'}", "TopK", function, [n.apart(3, 4, 5), ints(2)], attrs, batch=True)

for upper in (1, 0):
    function = torch.triu if upper else torch.tril
    f.add(f"Trilu {'upper' if upper else 'lower'}", "Trilu", lambda x, g=function: g(x), [n.normal(2, 4, 3)], {"upper": upper}, batch=True)
    f.add(f"Trilu {'upper' if upper else 'lower'}, diagonal -1", "Trilu", lambda x, k, g=function: g(x, -1), [n.normal(3, 4), constant(np.array(-1, dtype=np.int64))], {"upper": upper})

REDUCTIONS = {"mul": "prod", "max": "amax", "min": "amin"}
for reduction, name in REDUCTIONS.items():
    indices = np.array([[1, 1, -1], [0, 0, 0], [4, 3, 4]], dtype=np.int64)
    at = torch.tensor(np.where(indices < 0, indices + 5, indices))
    f.add(f"ScatterElements {reduction}, repeated", "ScatterElements", lambda x, i, u, at=at, name=name: x.scatter_reduce(1, at, u, name, include_self=True),
          [n.apart(3, 5), indices, n.apart(3, 3)], {"axis": 1, "reduction": reduction}, batch=[0, 1, 2])
    rows = np.array([[0], [2], [2]], dtype=np.int64)
    f.add(f"ScatterND rows {reduction}, repeated", "ScatterND", lambda x, i, u, name=name: x.scatter_reduce(0, i.expand(3, 4), u, name, include_self=True),
          [n.apart(3, 4), constant(rows), n.apart(3, 4)], {"reduction": reduction})
f.add("ScatterElements max, ties", "ScatterElements", lambda x, i, u: x.scatter_reduce(0, i, u, "amax", include_self=True),
      [[1.0, 2.0, 3.0], constant(np.array([0, 0, 1], dtype=np.int64)), [1.0, 1.0, 5.0]], {"reduction": "max"}, kink=True)

f.write()
