"""Derivative cases of GridSample and AffineGrid, with PyTorch's grid_sample and affine_grid as the truth."""

import numpy as np
import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant

n = Numbers(25)
f = CaseFile("sampling")
NAMES = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}


def grid(batch, space, size, spread, align):
    """Points off the pixels and their borders, where the derivative by the grid jumps."""
    points = n.uniform(-spread, spread, batch, *space, len(size))
    for axis, count in enumerate(reversed(size)):
        place = (points[..., axis] + 1) * (count - 1) / 2 if align else ((points[..., axis] + 1) * count - 1) / 2
        place = np.floor(place) + 0.1 + 0.3 * (place - np.floor(place)) + np.where(place > np.floor(place) + 0.5, 0.5, 0)
        points[..., axis] = 2 * place / (count - 1) - 1 if align else (2 * place + 1) / count - 1
    return points


def sample(name, x, out, mode="linear", padding="zeros", align=0, spread=1.3, opset=20, batch=(0, 1), given=None):
    given = grid(x[0], out, x[2:], spread, align) if given is None else given

    def function(x, grid):
        return F.grid_sample(x, grid, mode=NAMES[mode], padding_mode=padding, align_corners=bool(align))

    attrs = {"mode": mode if opset >= 20 else NAMES[mode], "padding_mode": padding, "align_corners": align}
    f.add(name, "GridSample", function, [n.normal(*x), given], attrs, opset=opset, batch=list(batch) if batch else None)


for mode in ("linear", "nearest", "cubic"):
    for padding in ("zeros", "border", "reflection"):
        for align in (0, 1):
            spread = 1.3 if padding == "zeros" else 2.6
            sample(f"GridSample {mode}, {padding}, align_corners {align}", [2, 2, 4, 5], [3, 2], mode, padding, align, spread)
sample("GridSample linear, opset 18", [2, 2, 4, 5], [3, 2], opset=18)
sample("GridSample cubic, opset 18", [2, 2, 4, 5], [3, 2], "cubic", opset=18)
for mode in ("linear", "nearest"):
    for padding in ("zeros", "border", "reflection"):
        sample(f"GridSample {mode} in three dimensions, {padding}", [2, 2, 3, 4, 2], [2, 1, 3], mode, padding)
sample("GridSample, constant grid", [2, 3, 4, 4], [4, 4], batch=None, given=constant(grid(2, [4, 4], [4, 4], 1.2, 0)))
image = constant(n.normal(2, 3, 4, 4))
f.add("GridSample, constant image", "GridSample", lambda x, g: F.grid_sample(x, g, align_corners=False), [image, grid(2, [2, 3], [4, 4], 1.2, 0)], {"align_corners": 0}, opset=20)


def affine(name, theta, size, align=0):
    f.add(
        name,
        "AffineGrid",
        lambda t, _: F.affine_grid(t, size, align_corners=bool(align)),
        [n.normal(*theta), constant(np.array(size, dtype=np.int64))],
        {"align_corners": align},
        opset=20,
    )


for align in (0, 1):
    affine(f"AffineGrid, align_corners {align}", [2, 2, 3], [2, 3, 4, 5], align)
    affine(f"AffineGrid in three dimensions, align_corners {align}", [2, 3, 4], [2, 1, 2, 3, 4], align)

f.write()
