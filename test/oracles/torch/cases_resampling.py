"""Derivative cases of Resize. Where PyTorch has no such interpolation, the table of taps below states what ONNX defines, and PyTorch sums it."""

import numpy as np
import torch
import torch.nn.functional as F
from casefile import CaseFile, Float, Numbers, constant

n = Numbers(16)
f = CaseFile("resampling")


def position(mode, o, size, resized, scale):
    if mode == "align_corners":
        return 0.0 if resized == 1 else o * (size - 1) / (resized - 1)
    if mode == "asymmetric":
        return o / scale
    if mode == "pytorch_half_pixel" and resized == 1:
        return 0.0
    centre = (o + 0.5) / scale - 0.5
    return centre + size / 2 * (1 - resized / (scale * size)) if mode == "half_pixel_symmetric" else centre


ROUND = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def table(size, resized, scale, coordinates, nearest):
    """Matrix [resized, size] of one axis; linear unless a rounding is given."""
    w = np.zeros((resized, size))
    for o in range(resized):
        x = position(coordinates, o, size, resized, scale)
        if nearest:
            w[o, int(np.clip(ROUND[nearest](x), 0, size - 1))] = 1
        else:
            x = np.clip(x, 0, size - 1)
            low = min(int(np.floor(x)), size - 1)
            w[o, low] += 1 - (x - low)
            w[o, min(low + 1, size - 1)] += x - low
    return torch.tensor(w)


def along(x, w, axis):
    return torch.tensordot(x, w.to(x.dtype), ([axis], [1])).movedim(-1, axis)


def resize(name, x, scales=None, sizes=None, mode="linear", coordinates="half_pixel", nearest=None, torch_call=None, axes=None, **more):
    spatial = list(range(2, len(x)))
    named = axes or list(range(len(x)))
    # scales are stored in single precision
    scales = scales and [float(np.float32(s)) for s in scales]
    given = scales or sizes
    if scales:
        resized = {a: int(np.floor(x[a] * s)) for a, s in zip(named, scales)}
        factor = dict(zip(named, scales))
    else:
        resized = dict(zip(named, sizes))
        factor = {a: s / x[a] for a, s in resized.items()}

    def function(x, *_):
        if torch_call:
            return torch_call(x)
        for axis in spatial:
            if axis in factor and factor[axis] != 1:
                x = along(x, table(x.shape[axis], resized[axis], factor[axis], coordinates, nearest), axis)
        return x

    attrs = {"mode": mode, "coordinate_transformation_mode": coordinates, **more}
    if nearest:
        attrs["nearest_mode"] = nearest
    if axes:
        attrs["axes"] = axes
    inputs = [n.normal(*x), None, constant(np.array(given, dtype=float))] if scales else [n.normal(*x), None, None, constant(np.array(given, dtype=np.int64))]
    # a list of sizes would fix the batch
    f.add(name, "Resize", function, inputs, attrs, batch=True if scales or axes else None)


for coordinates in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"):
    resize(f"Resize linear up, {coordinates}", [2, 2, 3, 4], scales=[1, 1, 2, 1.5], coordinates=coordinates)
    resize(f"Resize linear by sizes, {coordinates}", [2, 2, 6, 5], sizes=[4, 7], axes=[2, 3], coordinates=coordinates)
    resize(f"Resize nearest up, {coordinates}", [2, 2, 3, 4], scales=[1, 1, 2, 3], mode="nearest", coordinates=coordinates, nearest="round_prefer_floor")
for rounding in ROUND:
    resize(f"Resize nearest {rounding}, up", [2, 2, 4, 3], scales=[1, 1, 2, 2.5], mode="nearest", coordinates="asymmetric", nearest=rounding)
    resize(f"Resize nearest {rounding}, down", [2, 2, 7, 6], scales=[1, 1, 0.5, 0.75], mode="nearest", nearest=rounding)
    resize(f"Resize nearest {rounding}, sizes", [2, 2, 5, 4], sizes=[2, 2, 8, 3], mode="nearest", nearest=rounding)
resize("Resize linear 1-D", [2, 3, 5], scales=[1, 1, 1.75])
resize("Resize linear 3-D", [2, 1, 2, 3, 3], scales=[1, 1, 2, 1, 1.7])
resize("Resize nearest 3-D", [2, 1, 2, 3, 2], scales=[1, 1, 2, 2, 2], mode="nearest", coordinates="asymmetric", nearest="floor")
resize("Resize linear to one", [2, 2, 4, 3], sizes=[1, 1], axes=[2, 3], coordinates="pytorch_half_pixel")
resize("Resize by ones", [2, 2, 4, 3], scales=[1, 1, 1, 1])
resize("Resize one axis", [2, 2, 4, 3], sizes=[7], axes=[3])

bilinear = dict(mode="bilinear", align_corners=False)
resize("Resize as PyTorch's bilinear", [2, 2, 5, 4], sizes=[8, 3], axes=[2, 3], coordinates="pytorch_half_pixel", torch_call=lambda x: F.interpolate(x, (8, 3), **bilinear))
resize("Resize as PyTorch's bilinear, corners aligned", [2, 2, 5, 4], sizes=[8, 7], axes=[2, 3], coordinates="align_corners", torch_call=lambda x: F.interpolate(x, (8, 7), mode="bilinear", align_corners=True))
resize("Resize as PyTorch's trilinear", [1, 2, 2, 3, 4], sizes=[3, 5, 4], axes=[2, 3, 4], coordinates="pytorch_half_pixel", torch_call=lambda x: F.interpolate(x, (3, 5, 4), mode="trilinear"))
resize("Resize as PyTorch's nearest", [2, 2, 5, 4], sizes=[10, 3], axes=[2, 3], mode="nearest", coordinates="asymmetric", nearest="floor", torch_call=lambda x: F.interpolate(x, (10, 3), mode="nearest"))
resize("Resize as PyTorch's bicubic", [2, 2, 5, 6], sizes=[8, 4], axes=[2, 3], mode="cubic", coordinates="pytorch_half_pixel", cubic_coeff_a=Float(-0.75), torch_call=lambda x: F.interpolate(x, (8, 4), mode="bicubic"))
resize("Resize as PyTorch's bicubic, corners aligned", [2, 2, 5, 6], sizes=[7, 9], axes=[2, 3], mode="cubic", coordinates="align_corners", cubic_coeff_a=Float(-0.75), torch_call=lambda x: F.interpolate(x, (7, 9), mode="bicubic", align_corners=True))

# PyTorch averages over what lies inside, as Pillow does
for mode, name in (("linear", "bilinear"), ("cubic", "bicubic")):
    for sizes in ([3, 4], [9, 7]):
        resize(f"Resize as PyTorch's {name}, antialiased, to {sizes}", [2, 1, 8, 6], sizes=sizes, axes=[2, 3], mode=mode, antialias=1, exclude_outside=1, cubic_coeff_a=Float(-0.5), torch_call=lambda x, m=name, s=sizes: F.interpolate(x, s, mode=m, antialias=True))

f.write()
