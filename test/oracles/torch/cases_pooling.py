"""Derivative cases of pooling."""

import torch
import torch.nn.functional as F
from casefile import CaseFile, Numbers
from windows import torch_pads

n = Numbers(12)
f = CaseFile("pooling")
max_pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def windows_of(size, kernel, stride, dilation, begin, end, ceil):
    span = size + begin + end - dilation * (kernel - 1) - 1
    count = (-(-span // stride) if ceil else span // stride) + 1
    return count - 1 if ceil and (count - 1) * stride >= size + begin else count


def window_view(x, kernel, strides, dilations, pads, ceil, fill):
    """Every window's elements along a last axis, positions outside x holding `fill`."""
    rank = len(kernel)
    begin, end = pads[:rank], pads[rank:]
    counts = [windows_of(x.shape[2 + i], kernel[i], strides[i], dilations[i], begin[i], end[i], ceil) for i in range(rank)]
    reach = [(counts[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 for i in range(rank)]
    behind = [max(0, reach[i] - begin[i] - x.shape[2 + i]) for i in range(rank)]
    v = F.pad(x, torch_pads([*begin, *behind]), value=fill)
    for i in range(rank):
        at = torch.tensor([[o * strides[i] + k * dilations[i] for k in range(kernel[i])] for o in range(counts[i])])
        v = v.movedim(2 + i, -1)[..., at].movedim(-2, 2 + i)
    return v.flatten(2 + rank)


def pool(name, op, x, kernel, strides=None, dilations=None, pads=None, ceil=0, include=None, p=None, batch=True, opset=18, data=None, kink=False):
    rank = len(kernel)
    strides, dilations, pads = strides or [1] * rank, dilations or [1] * rank, pads or [0] * 2 * rank
    attrs = {"kernel_shape": kernel, "strides": strides, "pads": pads, "ceil_mode": ceil}
    if dilations != [1] * rank:
        attrs["dilations"] = dilations
    if include is not None:
        attrs["count_include_pad"] = include
    if p is not None:
        attrs["p"] = p

    def function(x):
        if op == "MaxPool":
            if pads[:rank] == pads[rank:] and all(2 * b <= k for b, k in zip(pads, kernel)):
                return max_pool[rank](x, kernel, strides, pads[:rank], dilations, bool(ceil))
            return window_view(x, kernel, strides, dilations, pads, ceil, -torch.inf).amax(-1)
        values = window_view(x, kernel, strides, dilations, pads, ceil, 0.0)
        if op == "LpPool":
            return values.abs().pow(p).sum(-1).pow(1 / p)
        # what is counted: positions inside x, or inside x and its stated pads
        ones = torch.ones_like(x)
        if include:
            ones = F.pad(ones, torch_pads(pads), value=1.0)
            counted = window_view(ones, kernel, strides, dilations, [0] * 2 * rank, 0, 0.0) if not ceil else None
            if counted is None:
                begin = [0] * rank
                shape = values.shape[2:-1]
                behind = [max(0, (shape[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - ones.shape[2 + i]) for i in range(rank)]
                counted = window_view(F.pad(ones, torch_pads([*begin, *behind])), kernel, strides, dilations, [0] * 2 * rank, 0, 0.0)
            return values.sum(-1) / counted.sum(-1)
        return values.sum(-1) / window_view(ones, kernel, strides, dilations, pads, ceil, 0.0).sum(-1)

    f.add(name, op, function, [n.apart(*x) if data is None else data], attrs, batch=True if batch else None, opset=opset, kink=kink)


pool("MaxPool 1-D", "MaxPool", [2, 2, 9], [3], [2], pads=[1, 1])
pool("MaxPool 2-D 2x2 stride 2", "MaxPool", [3, 2, 6, 4], [2, 2], [2, 2])
pool("MaxPool 2-D 2x2 stride 2, odd size, fixed batch", "MaxPool", [2, 2, 5, 7], [2, 2], [2, 2], batch=False)
pool("MaxPool 2-D 3x3 stride 2 padded", "MaxPool", [2, 2, 7, 6], [3, 3], [2, 2], pads=[1, 1, 1, 1])
pool("MaxPool 2-D asymmetric pads", "MaxPool", [2, 2, 5, 6], [3, 2], [1, 2], pads=[0, 1, 2, 0])
pool("MaxPool 2-D dilation", "MaxPool", [2, 2, 7, 8], [2, 3], [2, 1], dilations=[3, 2])
pool("MaxPool 2-D dilation with stride as large as the kernel", "MaxPool", [2, 2, 7, 7], [2, 2], [2, 2], dilations=[2, 2])
pool("MaxPool 2-D ceil_mode", "MaxPool", [2, 2, 6, 7], [3, 3], [2, 2], ceil=1)
pool("MaxPool 2-D ceil_mode, apart, padded", "MaxPool", [2, 2, 6, 7], [2, 3], [3, 3], pads=[1, 1, 1, 1], ceil=1)
pool("MaxPool 2-D stride beyond the kernel", "MaxPool", [2, 2, 8, 7], [2, 1], [3, 3])
pool("MaxPool 3-D", "MaxPool", [2, 2, 4, 4, 5], [2, 2, 3], [2, 1, 2], pads=[0, 1, 1, 0, 0, 1])
pool("MaxPool 3-D apart", "MaxPool", [2, 2, 4, 4, 3], [2, 2, 1], [2, 2, 2])
pool("MaxPool ties go to the first", "MaxPool", [1, 1, 4, 4], [2, 2], [2, 2], data=torch.ones(1, 1, 4, 4).numpy(), kink=True)
pool("MaxPool ties in overlapping windows", "MaxPool", [1, 1, 5, 5], [3, 3], [2, 2], data=torch.zeros(1, 1, 5, 5).numpy(), kink=True)
for include in (0, 1):
    pads = f"pads {'counted' if include else 'not counted'}"
    pool(f"AveragePool 1-D, {pads}", "AveragePool", [2, 2, 9], [3], [2], pads=[1, 1], include=include)
    pool(f"AveragePool 2-D, asymmetric, {pads}", "AveragePool", [2, 2, 6, 5], [3, 2], [2, 1], pads=[1, 0, 2, 1], include=include)
    pool(f"AveragePool 2-D ceil_mode, {pads}", "AveragePool", [2, 2, 6, 7], [3, 2], [2, 2], pads=[1, 0, 1, 1], ceil=1, include=include)
    pool(f"AveragePool 3-D, {pads}", "AveragePool", [2, 2, 4, 3, 4], [2, 3, 2], [2, 1, 2], pads=[1, 1, 0, 0, 1, 1], include=include)
    pool(f"AveragePool 2-D dilation, {pads}", "AveragePool", [2, 2, 7, 6], [2, 2], [1, 2], dilations=[3, 2], pads=[1, 1, 0, 1], include=include, opset=19)
pool("AveragePool 2x2 stride 2", "AveragePool", [3, 2, 4, 6], [2, 2], [2, 2])
pool("AveragePool stride beyond the kernel", "AveragePool", [2, 2, 7, 8], [2, 2], [3, 4])
pool("LpPool p 2", "LpPool", [2, 2, 5, 6], [2, 3], [1, 2], pads=[1, 0, 0, 1], p=2)
pool("LpPool p 3 dilation", "LpPool", [2, 2, 7], [3], [2], dilations=[2], pads=[1, 1], p=3)
pool("LpPool p 1 ceil_mode", "LpPool", [2, 2, 6, 6], [3, 3], [2, 2], p=1, ceil=1)

for space in ([5], [4, 3], [2, 3, 4]):
    axes = tuple(range(2, 2 + len(space)))
    rank = f"{len(space)}-D"
    f.add(f"GlobalAveragePool {rank}", "GlobalAveragePool", lambda x, a=axes: x.mean(a, keepdim=True), [n.normal(3, 2, *space)], batch=True)
    f.add(f"GlobalMaxPool {rank}", "GlobalMaxPool", lambda x, a=axes: x.amax(a, keepdim=True), [n.apart(3, 2, *space)], batch=True)
    for p in (1, 2, 3):
        f.add(f"GlobalLpPool {rank} p {p}", "GlobalLpPool", lambda x, a=axes, p=p: x.abs().pow(p).sum(a, keepdim=True).pow(1 / p), [n.apart(2, 2, *space)], {"p": p}, batch=True)

pool("MaxPool 2-D ceil_mode, apart, last windows end outside", "MaxPool", [2, 2, 5, 7], [2, 3], [2, 3], ceil=1)

f.write()
