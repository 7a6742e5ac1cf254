"""Where a net is not differentiable, and how an input is moved away from there.

Float32 takes the other side of a ReLU or of a max-pool wherever a unit lies within rounding of its kink; every such unit changes the gradient by
about 1e-3 of its length, in any library. A net with millions of units has some at every input, so inputs are moved off the kinks instead of being
drawn again: by about 1e-6 (4e-5 at most among those recorded), in at most 1.5 % of the elements, until no unit that carries a gradient is near one.
Only PyTorch decides about it.
"""

import torch
from torch.nn import functional as F

MARGIN = 4  # near: within this many rounding errors
TARGET = 10  # where a near unit is moved to
PIXELS = 64  # changed per unit: a unit's own direction moves the others little


def recorded(run, ops, x):
    """The outputs at x, and (op, input, output, attributes) of every ReLU-like op and max-pool on the way."""
    seen = []
    kept = {op: ops[op] for op in ("Relu", "LeakyRelu", "MaxPool")}

    def record(op):
        def call(args, attrs):
            y = kept[op](args, attrs)
            seen.append((op, args[0], y, attrs))
            return y

        return call

    ops.update({op: record(op) for op in kept})
    try:
        return run(x), seen
    finally:
        ops.update(kept)


def largest_two(y, attrs):
    """Of every window of a two-dimensional max-pool, [N, C, windows]: the largest element, how far the next smaller one is, and both flat positions.

    Equal elements count as one: behind another pool with overlapping windows they are copies of one element, and lead back to it.
    """
    n, c, h, w = y.shape
    kernel, stride = attrs["kernel_shape"], attrs.get("strides", [1, 1])
    top, left, bottom, right = attrs.get("pads") or [0] * 4

    def windows(t, fill):
        t = F.pad(t, [left, right, top, bottom], value=fill)
        return F.unfold(t.reshape(n * c, 1, *t.shape[2:]), kernel, stride=stride).reshape(n, c, kernel[0] * kernel[1], -1)

    position = windows(torch.arange(n * c * h * w, dtype=torch.float64).reshape(y.shape), 0.0)
    values = windows(y, -torch.inf)
    first, at = values.max(dim=2, keepdim=True)
    gap, other = torch.where(values < first, first - values, torch.inf).min(dim=2, keepdim=True)
    return [t.squeeze(2) for t in (first, gap, position.gather(2, at).long(), position.gather(2, other).long())]


def rms(t):
    return float(t.square().mean().sqrt())


def near_units(seen32, seen64, adjoints):
    """Units within MARGIN rounding errors of their kink whose gradient is not zero: (value, flat position, other position or None, distance, rounding).

    The rounding error of a layer is the root mean square of float32 minus float64 over it, or over the unit's channel where that is larger.
    Exact zeros are zero in every library (sums and maxima of ReLUs at rest) and have no gradient.
    """
    found = []
    for (op, z32, _, _), (_, z, _, attrs), g in zip(seen32, seen64, adjoints):
        value, z = z, z.detach()
        error = z32.detach().double() - z
        if op == "MaxPool":
            assert not attrs.get("ceil_mode", 0)
            first, gap, at, other = largest_two(z, attrs)
            rounding = 2**0.5 * rms(error.reshape(-1)[at])
            near = (gap <= MARGIN * rounding) & (g.reshape(first.shape) != 0)
            found += [(value, p, q, d, rounding) for p, q, d in zip(at[near].tolist(), other[near].tolist(), gap[near].tolist())]
            continue
        layer = torch.full_like(z, rms(error))
        if z.dim() == 4:
            layer = torch.maximum(layer, error.square().mean(dim=(0, 2, 3), keepdim=True).sqrt().expand_as(z))
        near = ((z.abs() <= MARGIN * layer) & (g != 0) & (z != 0)).reshape(-1).nonzero().reshape(-1).tolist()
        flat, layer = z.reshape(-1), layer.reshape(-1)
        found += [(value, p, None, float(flat[p]), float(layer[p])) for p in near]
    return found


def moved_off(x, x64, units):
    """x (float32; x64 is the leaf the units were computed from) with every near unit pushed to TARGET rounding errors from its kink, each by the pixels it depends on most."""
    delta = torch.zeros(x.numel(), dtype=torch.float64)
    for value, p, q, distance, rounding in units:
        cotangent = torch.zeros_like(value).reshape(-1)
        cotangent[p] = 1.0
        if q is not None:
            cotangent[q] = -1.0
        (slope,) = torch.autograd.grad(value, x64, cotangent.reshape(value.shape), retain_graph=True)
        slope = slope.reshape(-1)
        best = slope.abs().topk(PIXELS).indices
        side = 1.0 if distance >= 0 else -1.0
        delta[best] += (side * TARGET * rounding - distance) * slope[best] / slope[best].square().sum()
    return (x.double() + delta.reshape(x.shape)).float()
