"""Derivative cases of the normalisations."""

import torch
import torch.nn.functional as F
from casefile import CaseFile, Float, Numbers, constant

n = Numbers(5)
f = CaseFile("normalisation")


def batch_norm(eps):
    def of(x, s, b, m, v):
        s, b, m, v = (p.reshape(-1, *[1] * (x.dim() - 2)) for p in (s, b, m, v))
        return (x - m) / (v + eps).sqrt() * s + b

    return of


def statistics(c):
    return [n.normal(c), n.normal(c), n.normal(c), n.uniform(0.3, 2, c)]


for label, dims in {"": (4, 3, 5), " of images": (4, 3, 2, 4), " of vectors": (4, 6), " of volumes": (3, 2, 2, 3, 2)}.items():
    f.add(f"BatchNormalization{label}", "BatchNormalization", batch_norm(1e-5), [n.normal(*dims), *statistics(dims[1])], batch=True)
f.add("BatchNormalization, constants, eps 0.001", "BatchNormalization", batch_norm(1e-3),
      [n.normal(4, 3, 5), *map(constant, statistics(3))], attrs={"epsilon": Float(1e-3)}, batch=True)


def training(x, s, b, m, v):
    axes = [0, *range(2, x.dim())]
    new_mean, new_var = x.mean(axes), x.var(axes, unbiased=False)
    return F.batch_norm(x, None, None, s, b, True, 0.0, 1e-5), 0.9 * m + 0.1 * new_mean, 0.9 * v + 0.1 * new_var


for label, dims in {"": (4, 3, 5), " of vectors": (5, 3)}.items():
    parameters = statistics(3)
    f.add(f"BatchNormalization in training{label}", "BatchNormalization", training,
          [n.normal(*dims), *parameters[:2], *map(constant, parameters[2:])], attrs={"training_mode": 1}, batch=True, cotangents=[True, False, False])


def instance(eps):
    return lambda x, s, b: F.instance_norm(x, None, None, s, b, True, 0.0, eps)


f.add("InstanceNormalization", "InstanceNormalization", instance(1e-5), [n.normal(4, 3, 7), n.normal(3), n.normal(3)], batch=True)
f.add("InstanceNormalization of images", "InstanceNormalization", instance(1e-3), [n.normal(4, 3, 2, 4), n.normal(3), n.normal(3)],
      attrs={"epsilon": Float(1e-3)}, batch=True)
f.add("InstanceNormalization, constants", "InstanceNormalization", instance(1e-5), [n.normal(4, 3, 7), constant(n.normal(3)), constant(n.normal(3))])

for groups in (1, 2, 6):
    f.add(f"GroupNormalization, {groups} groups", "GroupNormalization", lambda x, s, b, groups=groups: F.group_norm(x, groups, s, b, 1e-5),
          [n.normal(4, 6, 5), n.normal(6), n.normal(6)], attrs={"num_groups": groups}, opset=21, batch=True)
f.add("GroupNormalization of images", "GroupNormalization", lambda x, s, b: F.group_norm(x, 2, s, b, 1e-5),
      [n.normal(3, 4, 2, 3), n.normal(4), n.normal(4)], attrs={"num_groups": 2}, opset=21, batch=True)
f.add("GroupNormalization, a scale per group (opset 18)", "GroupNormalization",
      lambda x, s, b: F.group_norm(x, 2, s.repeat_interleave(3), b.repeat_interleave(3), 1e-5),
      [n.normal(4, 6, 5), n.normal(2), n.normal(2)], attrs={"num_groups": 2}, opset=18, batch=True)


def layer(axis, eps=1e-5):
    def of(x, s, b=None):
        axes = tuple(range(axis % x.dim(), x.dim()))
        mean = x.mean(axes, keepdim=True)
        r = ((x - mean).square().mean(axes, keepdim=True) + eps).rsqrt()
        y = (x - mean) * r * s
        return y if b is None else y + b, mean, r

    return of


first = lambda function: lambda *xs: function(*xs)[0]  # noqa: E731
f.add("LayerNormalization", "LayerNormalization", first(layer(-1)), [n.normal(4, 3, 6), n.normal(6), n.normal(6)], batch=True)
f.add("LayerNormalization without bias", "LayerNormalization", first(layer(-1)), [n.normal(4, 6), n.normal(6)], batch=True)
f.add("LayerNormalization, constants", "LayerNormalization", first(layer(-1)), [n.normal(4, 6), constant(n.normal(6)), constant(n.normal(6))], batch=True)
f.add("LayerNormalization, axis 1, eps 0.1", "LayerNormalization", first(layer(1, 0.1)), [n.normal(4, 3, 2), n.normal(3, 2), n.normal(3, 2)],
      attrs={"axis": 1, "epsilon": Float(0.1)}, batch=True)
f.add("LayerNormalization over the batch too", "LayerNormalization", first(layer(0)), [n.normal(4, 3), constant(n.normal(3)), constant(n.normal(3))],
      attrs={"axis": 0})
f.add("LayerNormalization, all outputs", "LayerNormalization", layer(1), [n.normal(4, 3, 2), n.normal(3, 2), n.normal(3, 2)], attrs={"axis": 1}, batch=True)
f.add("LayerNormalization, only its statistics differentiated", "LayerNormalization", layer(-1), [n.normal(4, 6), n.normal(6), n.normal(6)],
      batch=True, wrt=[0], cotangents=[False, True, True])


def rms(axis, eps=1e-5):
    return lambda x, s: x * (x.square().mean(tuple(range(axis % x.dim(), x.dim())), keepdim=True) + eps).rsqrt() * s


f.add("RMSNormalization", "RMSNormalization", rms(-1), [n.normal(4, 3, 6), n.normal(6)], opset=23, batch=True)
f.add("RMSNormalization, axis 1", "RMSNormalization", rms(1, 1e-3), [n.normal(4, 3, 2), n.normal(3, 2)],
      attrs={"axis": 1, "epsilon": Float(1e-3)}, opset=23, batch=True)


def mean_variance(axes):
    return lambda x: (x - x.mean(axes, keepdim=True)) / (x.var(axes, unbiased=False, keepdim=True).sqrt() + 1e-9)


f.add("MeanVarianceNormalization", "MeanVarianceNormalization", mean_variance((0, 2, 3)), [n.normal(4, 3, 2, 2)], batch=True)
f.add("MeanVarianceNormalization, per sample", "MeanVarianceNormalization", mean_variance((1, 2)), [n.normal(4, 3, 2)], attrs={"axes": [1, 2]}, batch=True)
for p in (1, 2):
    f.add(f"LpNormalization, p {p}", "LpNormalization", lambda x, p=p: F.normalize(x, p, -1), [n.apart(4, 6)], attrs={"p": p}, batch=True)
    f.add(f"LpNormalization, p {p}, axis 1", "LpNormalization", lambda x, p=p: F.normalize(x, p, 1), [n.apart(4, 3, 2)], attrs={"p": p, "axis": 1})
f.add("LpNormalization of a zero row", "LpNormalization", lambda x: x * torch.tensor([[0.0], [1.0]], dtype=x.dtype) / torch.linalg.vector_norm(x + torch.tensor([[1.0], [0.0]], dtype=x.dtype), dim=-1, keepdim=True),
      [[[0.0, 0.0], [3.0, 4.0]]], kink=True)


def lrn(size, alpha, beta, bias):
    def of(x):
        before, after = (size - 1) // 2, size // 2
        padded = F.pad(x.square().unsqueeze(1).flatten(3), (0, 0, before, after))
        total = sum(padded[:, 0, k : k + x.shape[1]] for k in range(size)).reshape(x.shape)
        return x / (bias + alpha / size * total) ** beta

    return of


f.add("LRN", "LRN", lrn(3, 0.5, 0.75, 1.0), [n.normal(4, 6, 2, 2)], attrs={"size": 3, "alpha": Float(0.5)}, batch=True)
f.add("LRN, other constants", "LRN", lrn(3, 0.5, 0.5, 2.0), [n.normal(4, 6, 1, 3)], attrs={"size": 3, "alpha": Float(0.5), "beta": Float(0.5), "bias": Float(2)}, batch=True)
f.add("LRN, window wider than the channels", "LRN", lrn(5, 1e-4, 0.75, 1.0), [3 * n.normal(4, 3, 2, 2)], attrs={"size": 5}, batch=True)

for label, dims in {"": (4, 3, 5), " of vectors": (5, 3)}.items():
    f.add(f"BatchNormalization in training{label}, running statistics", "BatchNormalization", training, [n.normal(*dims), *statistics(3)],
          attrs={"training_mode": 1}, batch=True)
f.add("BatchNormalization in training, running statistics alone", "BatchNormalization", training, [n.normal(4, 3, 5), *statistics(3)],
      attrs={"training_mode": 1}, cotangents=[False, True, True])

f.write()
