"""Runs a prepared ONNX graph (default domain, opset 18, explicit pads) in PyTorch: the independent peer of our gradients and our speed."""
import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional as F


def load(path, dtype=torch.float32):
    """A function from the input tensor to the list of outputs; weights are constants of the given dtype."""
    model = onnx.load(path)
    graph = model.graph
    weights = {}
    for t in graph.initializer:
        value = torch.from_numpy(np.array(numpy_helper.to_array(t)))
        weights[t.name] = value.to(dtype) if value.is_floating_point() else value
    nodes = [(n.op_type, list(n.input), list(n.output), {a.name: helper.get_attribute_value(a) for a in n.attribute}) for n in graph.node]
    last_use = {}
    for i, (_, inputs, _, _) in enumerate(nodes):
        for name in inputs:
            last_use[name] = i
    outputs = [o.name for o in graph.output]
    for name in outputs:
        last_use[name] = len(nodes)
    feeds = [v.name for v in graph.input if v.name not in weights]

    def run(*given):
        values = {**weights, **dict(zip(feeds, given))}
        for i, (op, inputs, outs, attrs) in enumerate(nodes):
            arguments = [values[name] if name else None for name in inputs]
            result = OPS[op](arguments, attrs)
            values.update(zip(outs, result if isinstance(result, (tuple, list)) else [result]))
            for name in inputs:
                if name not in weights and last_use.get(name) == i:
                    values.pop(name, None)
        return [values[name] for name in outputs]

    return run


def split_pads(pads, rank):
    pads = list(pads or [0] * (2 * rank))
    return pads[:rank], pads[rank:]


def padded(x, pads, rank, value=0.0):
    before, after = split_pads(pads, rank)
    if not any(before) and not any(after):
        return x
    flat = [p for pair in zip(reversed(before), reversed(after)) for p in pair]
    return F.pad(x, flat, value=value)


def symmetric(pads, rank):
    before, after = split_pads(pads, rank)
    return before == after


def conv(args, attrs):
    x, w, b = (args + [None])[:3]
    rank = w.dim() - 2
    pads = attrs.get("pads")
    op = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    common = dict(stride=attrs.get("strides", [1] * rank), dilation=attrs.get("dilations", [1] * rank), groups=attrs.get("group", 1))
    if symmetric(pads, rank):
        return op(x, w, b, padding=split_pads(pads, rank)[0], **common)
    return op(padded(x, pads, rank), w, b, **common)


def max_pool(args, attrs):
    rank = len(attrs["kernel_shape"])
    op = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[rank]
    kernel, stride, pads = attrs["kernel_shape"], attrs.get("strides", [1] * rank), attrs.get("pads")
    ceil = bool(attrs.get("ceil_mode", 0))
    if symmetric(pads, rank) and all(2 * p <= k for p, k in zip(split_pads(pads, rank)[0], kernel)):
        return op(args[0], kernel, stride, split_pads(pads, rank)[0], ceil_mode=ceil)
    return op(padded(args[0], pads, rank, float("-inf")), kernel, stride, ceil_mode=ceil)


def average_pool(args, attrs):
    rank = len(attrs["kernel_shape"])
    op = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[rank]
    kernel, stride, pads = attrs["kernel_shape"], attrs.get("strides", [1] * rank), attrs.get("pads")
    include = bool(attrs.get("count_include_pad", 0))
    if symmetric(pads, rank):
        return op(args[0], kernel, stride, split_pads(pads, rank)[0], count_include_pad=include, ceil_mode=bool(attrs.get("ceil_mode", 0)))
    x = padded(args[0], pads, rank)
    mean = op(x, kernel, stride)
    return mean if include else mean / op(padded(torch.ones_like(args[0]), pads, rank), kernel, stride)


def batch_norm(args, attrs):
    x, scale, bias, mean, var = args
    return F.batch_norm(x, mean, var, scale, bias, eps=attrs.get("epsilon", 1e-5))


def lrn(args, attrs):
    x, size = args[0], attrs["size"]
    before, after = (size - 1) // 2, size // 2
    square = F.pad((x * x).unsqueeze(1), [0] * (2 * (x.dim() - 2)) + [before, after])
    window = sum(square[:, 0, i : i + x.shape[1]] for i in range(size))
    return x / (attrs.get("bias", 1.0) + attrs.get("alpha", 1e-4) / size * window) ** attrs.get("beta", 0.75)


def gemm(args, attrs):
    a, b = args[0], args[1]
    a = a.T if attrs.get("transA", 0) else a
    b = b.T if attrs.get("transB", 0) else b
    y = attrs.get("alpha", 1.0) * (a @ b)
    return y if len(args) < 3 or args[2] is None else y + attrs.get("beta", 1.0) * args[2]


def reshape(args, attrs):
    shape = [int(s) if int(s) != 0 else args[0].shape[i] for i, s in enumerate(args[1])]
    return args[0].reshape(shape)


def axes_of(args, attrs, index=1):
    return [int(a) for a in args[index]] if len(args) > index and args[index] is not None else list(attrs.get("axes", []))


def reduce(op):
    def run(args, attrs):
        axes = axes_of(args, attrs) or list(range(args[0].dim()))
        return op(args[0], axes, bool(attrs.get("keepdims", 1)))

    return run


def slice_(args, attrs):
    x, starts, ends = args[:3]
    axes = [int(a) for a in args[3]] if len(args) > 3 else range(len(starts))
    steps = [int(s) for s in args[4]] if len(args) > 4 else [1] * len(starts)
    index = [slice(None)] * x.dim()
    for axis, start, end, step in zip(axes, starts, ends, steps):
        assert step > 0
        index[axis] = slice(int(start), int(end), step)
    return x[tuple(index)]


def unsqueeze(args, attrs):
    y = args[0]
    for axis in sorted(axes_of(args, attrs)):
        y = y.unsqueeze(axis)
    return y


def squeeze(args, attrs):
    return args[0].squeeze(tuple(axes_of(args, attrs)))


OPS = {
    "Conv": conv,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, _: a[0].mean(dim=tuple(range(2, a[0].dim())), keepdim=True),
    "BatchNormalization": batch_norm,
    "LRN": lrn,
    "Gemm": gemm,
    "MatMul": lambda a, _: a[0] @ a[1],
    "Relu": lambda a, _: torch.relu(a[0]),
    "LeakyRelu": lambda a, t: F.leaky_relu(a[0], t.get("alpha", 0.01)),
    "PRelu": lambda a, _: torch.where(a[0] > 0, a[0], a[0] * a[1]),
    "Sigmoid": lambda a, _: torch.sigmoid(a[0]),
    "Tanh": lambda a, _: torch.tanh(a[0]),
    "Clip": lambda a, _: a[0].clamp(*[None if v is None else v.item() for v in (a[1:] + [None, None])[:2]]),
    "Softmax": lambda a, t: torch.softmax(a[0], t.get("axis", -1)),
    "Add": lambda a, _: a[0] + a[1],
    "Sub": lambda a, _: a[0] - a[1],
    "Mul": lambda a, _: a[0] * a[1],
    "Div": lambda a, _: a[0] / a[1],
    "Sum": lambda a, _: sum(a[1:], a[0]),
    "Concat": lambda a, t: torch.cat(a, t["axis"]),
    "Reshape": reshape,
    "Flatten": lambda a, t: a[0].reshape(int(np.prod(a[0].shape[: t.get("axis", 1)])), -1),
    "Transpose": lambda a, t: a[0].permute(t["perm"]),
    "Identity": lambda a, _: a[0],
    "Dropout": lambda a, _: a[0],
    "ReduceMean": reduce(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceSum": reduce(lambda x, axes, keep: x.sum(axes, keep)),
    "Slice": slice_,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Shape": lambda a, _: torch.tensor(a[0].shape),
}
