"""Derivative cases of operations that move elements."""

import torch
import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant

n = Numbers(14)
f = CaseFile("layout")
ints = lambda *values: constant(torch.tensor(values, dtype=torch.int64).numpy())

f.add("Reshape", "Reshape", lambda x, s: x.reshape(-1, 6), [n.normal(4, 3, 2), ints(-1, 6)], batch=True)
f.add("Reshape with 0", "Reshape", lambda x, s: x.reshape(4, 6), [n.normal(4, 3, 2), ints(0, -1)], batch=True)
f.add("Reshape merging the batch", "Reshape", lambda x, s: x.reshape(-1, 2), [n.normal(4, 3, 2), ints(-1, 2)], batch=True)
f.add("Flatten", "Flatten", lambda x: x.flatten(1), [n.normal(3, 2, 4)], batch=True)
f.add("Flatten axis 2", "Flatten", lambda x: x.reshape(6, 4), [n.normal(3, 2, 4)], {"axis": 2}, batch=True)
f.add("Flatten axis 0", "Flatten", lambda x: x.reshape(1, -1), [n.normal(3, 2, 4)], {"axis": 0})
f.add("Flatten axis -1", "Flatten", lambda x: x.reshape(6, 4), [n.normal(3, 2, 4)], {"axis": -1}, batch=True)
f.add("Squeeze axes", "Squeeze", lambda x, a: x.squeeze(1).squeeze(-1), [n.normal(3, 1, 4, 1), ints(1, -1)], batch=True)
f.add("Squeeze all", "Squeeze", lambda x: x.squeeze(), [n.normal(3, 1, 4, 1)])
f.add("Unsqueeze", "Unsqueeze", lambda x, a: x[:, None, :, None], [n.normal(3, 4), ints(1, -1)], batch=True)
f.add("Identity", "Identity", lambda x: x * 1, [n.normal(3, 4)], batch=True)
f.add("Transpose", "Transpose", lambda x: x.permute(2, 0, 3, 1), [n.normal(2, 3, 4, 2)], {"perm": [2, 0, 3, 1]}, batch=True)
f.add("Transpose, reversed", "Transpose", lambda x: x.permute(2, 1, 0), [n.normal(2, 3, 4)], batch=True)
f.add("Concat channels", "Concat", lambda *xs: torch.cat(xs, 1), [n.normal(2, 3, 2), n.normal(2, 1, 2), n.normal(2, 2, 2)], {"axis": 1}, batch=[0, 1, 2])
f.add("Concat last axis, one constant", "Concat", lambda *xs: torch.cat(xs, -1), [n.normal(2, 3), constant(n.normal(2, 2)), n.normal(2, 1)], {"axis": -1})
f.add("Concat along the batch", "Concat", lambda *xs: torch.cat(xs, 0), [n.normal(3, 2), n.normal(3, 2), n.normal(1, 2)], {"axis": 0}, batch=[0, 1])
f.add("Concat of one", "Concat", lambda x: x * 1, [n.normal(3, 2)], {"axis": 1}, batch=True)
f.add("Concat of a value with itself sized differently", "Concat", lambda a, b: torch.cat((a, b), 2), [n.normal(2, 1, 4), n.normal(2, 1, 1)], {"axis": 2}, batch=[0, 1])

thirds = lambda x, axis, sizes: x.split(sizes, axis)
f.add("Split by sizes", "Split", lambda x, s: thirds(x, 1, [1, 3, 2]), [n.normal(2, 6, 2), ints(1, 3, 2)], {"axis": 1}, batch=True)
f.add("Split, one part unused", "Split", lambda x, s: thirds(x, 1, [1, 3, 2]), [n.normal(2, 6, 2), ints(1, 3, 2)], {"axis": 1}, batch=True, cotangents=[True, False, True])
f.add("Split in equal parts", "Split", lambda x: thirds(x, -1, 2), [n.normal(2, 3, 6)], {"axis": -1, "num_outputs": 3}, batch=True)
f.add("Split with a remainder", "Split", lambda x: thirds(x, 1, 3), [n.normal(2, 8)], {"axis": 1, "num_outputs": 3}, batch=True)
f.add("Split in one", "Split", lambda x: [x * 1], [n.normal(2, 3)], {"axis": 1, "num_outputs": 1}, batch=True)

f.add("Expand", "Expand", lambda x, s: x.expand(4, 3, 5), [n.normal(3, 1), ints(4, 3, 5)])
f.add("Expand beside the batch", "Expand", lambda x, s: x.expand(3, 4, 2), [n.normal(3, 1, 2), ints(1, 4, 1)], batch=True)
f.add("Expand a scalar", "Expand", lambda x, s: x.expand(2, 3), [n.normal(), ints(2, 3)])
f.add("Tile", "Tile", lambda x, r: x.repeat(1, 3, 2), [n.normal(2, 2, 3), ints(1, 3, 2)], batch=True)
f.add("Tile the batch", "Tile", lambda x, r: x.repeat(2, 1, 2), [n.normal(3, 2, 2), ints(2, 1, 2)], batch=True)
f.add("Tile by ones", "Tile", lambda x, r: x.repeat(1, 1), [n.normal(3, 2), ints(1, 1)], batch=True)
f.add("Dropout in evaluation", "Dropout", lambda x: x * 1, [n.normal(3, 4)], batch=True)
f.add("Cast to float", "Cast", lambda x: x * 1, [n.normal(3, 4)], {"to": 1}, batch=True)

for mode in ("DCR", "CRD"):
    def depth_to_space(x, m=mode):
        b, c, h, w = x.shape
        if m == "CRD":
            return F.pixel_shuffle(x, 2)
        return x.reshape(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, c // 4, h * 2, w * 2)

    f.add(f"DepthToSpace {mode}", "DepthToSpace", depth_to_space, [n.normal(2, 8, 2, 3)], {"blocksize": 2, "mode": mode}, batch=True)


def space_to_depth(x):
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(b, c * 4, h // 2, w // 2)


f.add("SpaceToDepth", "SpaceToDepth", space_to_depth, [n.normal(2, 3, 4, 6)], {"blocksize": 2}, batch=True)

f.write()
