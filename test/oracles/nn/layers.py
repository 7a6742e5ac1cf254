"""Layers in PyTorch float64: values, gradients of a fixed linear functional, and running statistics after a training pass.

    python test/oracles/nn/layers.py test/fixtures/nn

Every tensor is made by `chirp` from its name, here and in the test alike, so the files hold results only.
Written with torch 2.15.0.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def chirp(name, dims, amplitude=0.5, centre=0.0):
    """amplitude sin(0.37 i^2 + phase of the name) + centre, rounded to float32."""
    phase = float(sum(map(ord, name)))
    i = np.arange(math.prod(dims), dtype=np.float64)
    values = (amplitude * np.sin(0.37 * i * i + phase) + centre).astype(np.float32)
    return torch.tensor(values.astype(np.float64)).reshape(dims)


def statistic(name, dims):
    return chirp(name, dims, 0.5, 1.0 if name.endswith("running_var") else 0.0)


def noise(name, dims):
    return chirp(name, dims, 0.5, 0.5)


def listed(t):
    return [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]


CASES = []


def case(name, x, params=None, stats=None, modes=("inference",), noise=None, ids=0):
    def add(fn):
        CASES.append((name, x, params or {}, stats or {}, modes, noise or {}, ids, fn))
        return fn

    return add


def record(name, dims, params, stats, mode, noises, ids, fn):
    if ids:
        x = (torch.arange(math.prod(dims)) * 7 % ids).reshape(dims)
    else:
        x = chirp("x", dims, 1.0).requires_grad_()
    P = {k: chirp(k, d).requires_grad_() for k, d in params.items()}
    S = {k: statistic(k, d) for k, d in stats.items()}
    Z = {k: noise(k, d) for k, d in noises.items()}
    y = fn(x, P, S, Z, mode == "training")
    (y * chirp("cotangent", y.shape, 1.0)).sum().backward()
    made = {
        "name": name,
        "mode": mode,
        "x": list(dims),
        **({"ids": ids} if ids else {}),
        "parameters": {k: list(d) for k, d in params.items()},
        "y": {"dims": list(y.shape), "values": listed(y)},
        "gradients": {k: listed(t.grad) for k, t in {**({} if ids else {"x": x}), **P}.items()},
    }
    if mode == "training":
        made["statistics"] = {k: listed(t) for k, t in S.items()}
        made["noise"] = {k: list(d) for k, d in noises.items()}
    return made


# one element, one product


@case("dense", [3, 5], {"weight": [4, 5], "bias": [4]})
@case("dense over moments", [3, 2, 5], {"weight": [4, 5], "bias": [4]})
def _(x, P, S, Z, training):
    return F.linear(x, P["weight"], P["bias"])


@case("dense without bias", [3, 2, 5], {"weight": [4, 5]})
def _(x, P, S, Z, training):
    return F.linear(x, P["weight"])


for label, function in {
    "relu": F.relu,
    "leakyRelu": lambda x: F.leaky_relu(x, 0.2),
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softplus": F.softplus,
}.items():
    case(label, [3, 7])(lambda x, P, S, Z, training, function=function: function(x))


# convolutions


@case("convolution 1", [2, 3, 9], {"weight": [4, 3, 3], "bias": [4]})
def _(x, P, S, Z, training):
    return F.conv1d(x, P["weight"], P["bias"], stride=2, padding=1)


@case("convolution 2", [2, 4, 6, 5], {"weight": [4, 2, 3, 2], "bias": [4]})
def _(x, P, S, Z, training):
    return F.conv2d(x, P["weight"], P["bias"], stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)


@case("convolution 3", [2, 2, 4, 5, 4], {"weight": [3, 2, 2, 3, 2]})
def _(x, P, S, Z, training):
    return F.conv3d(x, P["weight"], padding=(0, 1, 1))


@case("convolution same", [2, 2, 7, 6], {"weight": [3, 2, 4, 3], "bias": [3]})
def _(x, P, S, Z, training):
    return F.conv2d(x, P["weight"], P["bias"], padding="same")


@case("depthwise", [2, 3, 5, 5], {"weight": [6, 1, 3, 3], "bias": [6]})
def _(x, P, S, Z, training):
    return F.conv2d(x, P["weight"], P["bias"], padding=1, groups=3)


@case("separable", [2, 3, 9], {"depthwise.weight": [3, 1, 3], "pointwise.weight": [5, 3, 1], "pointwise.bias": [5]})
def _(x, P, S, Z, training):
    y = F.conv1d(x, P["depthwise.weight"], stride=2, padding=1, groups=3)
    return F.conv1d(y, P["pointwise.weight"], P["pointwise.bias"])


# normalisations


def batch_norm(x, P, S, training, at="", eps=1e-5, momentum=0.1):
    return F.batch_norm(x, S[at + "running_mean"], S[at + "running_var"], P[at + "weight"], P[at + "bias"], training, momentum, eps)


def norm_names(at, channels):
    return {at + "weight": [channels], at + "bias": [channels]}


def running(at, channels):
    return {at + "running_mean": [channels], at + "running_var": [channels]}


BOTH = ("inference", "training")


@case("batchNorm 0", [5, 3], norm_names("", 3), running("", 3), BOTH)
@case("batchNorm 1", [4, 3, 5], norm_names("", 3), running("", 3), BOTH)
@case("batchNorm 2", [3, 4, 3, 3], norm_names("", 4), running("", 4), BOTH)
def _(x, P, S, Z, training):
    return batch_norm(x, P, S, training)


@case("batchNorm keras", [3, 4, 3, 3], norm_names("", 4), running("", 4), BOTH)
def _(x, P, S, Z, training):
    return batch_norm(x, P, S, training, eps=1e-3, momentum=0.01)


@case("layerNorm", [3, 4, 6], norm_names("", 6))
def _(x, P, S, Z, training):
    return F.layer_norm(x, [6], P["weight"], P["bias"])


@case("groupNorm", [3, 6, 4], norm_names("", 6))
def _(x, P, S, Z, training):
    return F.group_norm(x, 3, P["weight"], P["bias"])


@case("groupNorm 2", [2, 4, 3, 3], norm_names("", 4))
def _(x, P, S, Z, training):
    return F.group_norm(x, 2, P["weight"], P["bias"])


@case("instanceNorm", [2, 3, 4, 3], norm_names("", 3))
def _(x, P, S, Z, training):
    return F.instance_norm(x, weight=P["weight"], bias=P["bias"])


# pooling, shapes, chance


@case("maxPool 1", [2, 3, 9])
def _(x, P, S, Z, training):
    return F.max_pool1d(x, 3, 2, 1)


@case("maxPool 2", [2, 2, 6, 7])
def _(x, P, S, Z, training):
    return F.max_pool2d(x, (2, 3))


@case("maxPool 3", [2, 2, 4, 4, 5])
def _(x, P, S, Z, training):
    return F.max_pool3d(x, 2, 2)


@case("averagePool 1", [2, 3, 9])
def _(x, P, S, Z, training):
    return F.avg_pool1d(x, 3, 2, 1)


@case("averagePool 2", [2, 2, 6, 7])
def _(x, P, S, Z, training):
    return F.avg_pool2d(x, (2, 3))


@case("averagePool 3", [2, 2, 4, 4, 5])
def _(x, P, S, Z, training):
    return F.avg_pool3d(x, 2, 1)


@case("globalAverage", [2, 3, 4, 5])
def _(x, P, S, Z, training):
    return x.mean((2, 3))


@case("globalMax", [2, 3, 4, 5])
def _(x, P, S, Z, training):
    return F.adaptive_max_pool2d(x, 1).flatten(1)


@case("timeAverage", [2, 5, 3])
def _(x, P, S, Z, training):
    return x.mean(1)


@case("flatten, permute, reshape", [2, 3, 4, 2])
def _(x, P, S, Z, training):
    return x.permute(0, 3, 1, 2).reshape(2, 6, 4).flatten(1)


@case("dropout", [3, 4, 5], modes=BOTH, noise={"noise": [3, 4, 5]})
def _(x, P, S, Z, training):
    return x * (Z["noise"] >= 0.3) / 0.7 if training else x


@case("dropout shared", [3, 4, 5], modes=BOTH, noise={"noise": [3, 1, 5]})
def _(x, P, S, Z, training):
    return x * (Z["noise"] >= 0.3) / 0.7 if training else x


@case(
    "overTime",
    [3, 4, 2, 5],
    {"conv.weight": [3, 2, 3], "norm.weight": [3], "norm.bias": [3]},
    running("norm.", 3),
    BOTH,
    {"noise": [3, 4, 3, 5]},
)
def _(x, P, S, Z, training):
    y = batch_norm(F.conv1d(x.flatten(0, 1), P["conv.weight"], padding=1), P, S, training, "norm.")
    if training:
        y = y * (Z["noise"].flatten(0, 1) >= 0.3) / 0.7
    return y.unflatten(0, (3, 4))


@case("embedding", [3, 4], {"weight": [5, 6]}, ids=5)
def _(x, P, S, Z, training):
    return F.embedding(x, P["weight"])


# recurrence


def in_order(t, gates, order):
    """Rows of one direction, in PyTorch's order of gates instead of ONNX's."""
    parts = t.chunk(gates, 0)
    return torch.cat([parts[k] for k in order], 0)


ORDERS = {"lstm": (4, (0, 2, 3, 1)), "gru": (3, (1, 0, 2)), "rnn": (1, (0,))}


def recurrent(kind, x, P, output):
    gates, order = ORDERS[kind]
    directions, rows, _ = P["W"].shape
    hidden = rows // gates
    B = P["B"] if P["B"].shape[1] == 2 * rows else torch.cat([P["B"], torch.zeros(directions, rows)], 1)
    weights = []
    for d in range(directions):
        both = [in_order(B[d, :rows], gates, order), in_order(B[d, rows:], gates, order)]
        weights += [in_order(P["W"][d], gates, order), in_order(P["R"][d], gates, order), *both]
    h = torch.zeros(directions, x.shape[0], hidden)
    shared = (weights, True, 1, 0.0, False, directions == 2, True)
    if kind == "lstm":
        y, last, _ = torch._VF.lstm(x, (h, h), *shared)
    else:
        y, last = (torch._VF.gru if kind == "gru" else torch._VF.rnn_tanh)(x, h, *shared)
    return y if output == "sequence" else last.transpose(0, 1).flatten(1)


def weights_of(kind, directions, channels, hidden, biases=2):
    rows = ORDERS[kind][0] * hidden
    return {"W": [directions, rows, channels], "R": [directions, rows, hidden], "B": [directions, biases * rows]}


for kind in ORDERS:
    for directions, output in ((1, "sequence"), (1, "last"), (2, "sequence"), (2, "last")):
        case(f"{kind} {directions} {output}", [3, 4, 2], weights_of(kind, directions, 2, 3))(
            lambda x, P, S, Z, training, kind=kind, output=output: recurrent(kind, x, P, output)
        )


@case("lstm one bias", [3, 4, 2], weights_of("lstm", 2, 2, 3, 1))
def _(x, P, S, Z, training):
    return recurrent("lstm", x, P, "last")


@case("gru reset before", [3, 4, 2], weights_of("gru", 1, 2, 3))
def _(x, P, S, Z, training):
    W, R = P["W"][0].chunk(3, 0), P["R"][0].chunk(3, 0)
    b = [a + c for a, c in zip(P["B"][0, :9].chunk(3), P["B"][0, 9:].chunk(3))]
    h = torch.zeros(x.shape[0], 3)
    for t in range(x.shape[1]):
        z = torch.sigmoid(x[:, t] @ W[0].T + h @ R[0].T + b[0])
        r = torch.sigmoid(x[:, t] @ W[1].T + h @ R[1].T + b[1])
        n = torch.tanh(x[:, t] @ W[2].T + (r * h) @ R[2].T + b[2])
        h = (1 - z) * n + z * h
    return h


# attention


def attention_names(at, width):
    shapes = {"in_proj_weight": [3 * width, width], "in_proj_bias": [3 * width]}
    shapes |= {"out_proj.weight": [width, width], "out_proj.bias": [width]}
    return {at + k: d for k, d in shapes.items()}


def attend(x, P, at, heads, causal=False, keep=None):
    q, k, v = (t.unflatten(2, (heads, -1)).transpose(1, 2) for t in F.linear(x, P[at + "in_proj_weight"], P[at + "in_proj_bias"]).chunk(3, 2))
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), -math.inf)
    share = scores.softmax(-1)
    if keep is not None:
        share = share * keep
    return F.linear((share @ v).transpose(1, 2).flatten(2), P[at + "out_proj.weight"], P[at + "out_proj.bias"])


@case("selfAttention", [2, 4, 6], attention_names("", 6))
def _(x, P, S, Z, training):
    module = torch.nn.MultiheadAttention(6, 2, batch_first=True)
    made, _ = torch.func.functional_call(module, P, (x, x, x), {"need_weights": False})
    mine = attend(x, P, "", 2)
    assert torch.allclose(made, mine, atol=1e-12)
    return made


@case("selfAttention causal", [2, 4, 6], attention_names("", 6))
def _(x, P, S, Z, training):
    return attend(x, P, "", 2, True)


@case("selfAttention dropout", [2, 4, 6], attention_names("", 6), modes=("training",), noise={"noise": [2, 2, 4, 4]})
def _(x, P, S, Z, training):
    return attend(x, P, "", 2, keep=(Z["noise"] >= 0.2) / 0.8)


def block_names(width, inner):
    return {
        **attention_names("self_attn.", width),
        "linear1.weight": [inner, width],
        "linear1.bias": [inner],
        "linear2.weight": [width, inner],
        "linear2.bias": [width],
        **norm_names("norm1.", width),
        **norm_names("norm2.", width),
    }


for norm in ("pre", "post"):

    @case(f"encoderBlock {norm}", [2, 3, 4], block_names(4, 6))
    def _(x, P, S, Z, training, norm=norm):
        module = torch.nn.TransformerEncoderLayer(4, 2, 6, 0.0, F.gelu, batch_first=True, norm_first=norm == "pre")
        return torch.func.functional_call(module, P, (x,))


@case("learnedPositions", [2, 3, 4], {"positions": [3, 4]})
def _(x, P, S, Z, training):
    return x + P["positions"]


@case("sinusoidalPositions", [2, 5, 6])
def _(x, P, S, Z, training):
    t, i = torch.arange(5.0)[:, None], torch.arange(3.0)
    angle = t * torch.exp(-math.log(10000) * 2 * i / 6)
    return x + torch.stack([angle.sin(), angle.cos()], 2).flatten(1)


# residual blocks


def residual(x, P, S, training, sizes, strides):
    y = x
    for i, (size, stride) in enumerate(zip(sizes, strides), 1):
        y = batch_norm(F.conv2d(y, P[f"conv{i}.weight"], stride=stride, padding=size // 2), P, S, training, f"bn{i}.")
        y = F.relu(y) if i < len(sizes) else y
    if "downsample.0.weight" in P:
        x = batch_norm(F.conv2d(x, P["downsample.0.weight"], stride=math.prod(strides)), P, S, training, "downsample.1.")
    return F.relu(x + y)


def residual_names(channels, sizes, into):
    params, stats = {}, {}
    for i, (size, out) in enumerate(zip(sizes, channels), 1):
        params |= {f"conv{i}.weight": [out, into if i == 1 else channels[i - 2], size, size], **norm_names(f"bn{i}.", out)}
        stats |= running(f"bn{i}.", out)
    return params, stats


def with_shortcut(names, out, into):
    params, stats = names
    params = params | {"downsample.0.weight": [out, into, 1, 1], **norm_names("downsample.1.", out)}
    return params, stats | running("downsample.1.", out)


@case("basicBlock", [3, 3, 4, 4], *residual_names([3, 3], [3, 3], 3), BOTH)
def _(x, P, S, Z, training):
    return residual(x, P, S, training, [3, 3], [1, 1])


@case("basicBlock stride 2", [3, 2, 5, 4], *with_shortcut(residual_names([3, 3], [3, 3], 2), 3, 2), BOTH)
def _(x, P, S, Z, training):
    return residual(x, P, S, training, [3, 3], [2, 1])


@case("bottleneck stride 2", [4, 3, 6, 6], *with_shortcut(residual_names([2, 2, 8], [1, 3, 1], 3), 8, 3), BOTH)
def _(x, P, S, Z, training):
    return residual(x, P, S, training, [1, 3, 1], [1, 2, 1])


# spikes


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, threshold, alpha):
        ctx.save_for_backward(v - threshold)
        ctx.alpha = alpha
        return (v >= threshold).to(v)

    @staticmethod
    def backward(ctx, ds):
        (u,) = ctx.saved_tensors
        return ds * ctx.alpha / 2 / (1 + (math.pi / 2 * ctx.alpha * u) ** 2), None, None


def lif(x, tau, threshold, reset, alpha):
    v, spikes = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        v = v + (x[:, t] - v) / tau
        s = Spike.apply(v, threshold, alpha)
        spikes.append(s)
        v = v * (1 - s.detach()) if reset == "hard" else v - threshold * s.detach()
    return torch.stack(spikes, 1)


@case("spike", [3, 8])
def _(x, P, S, Z, training):
    return Spike.apply(x, 0.25, 3.0)


@case("lif hard", [2, 6, 5], modes=BOTH)
def _(x, P, S, Z, training):
    return lif(2 * x, 2.0, 0.5, "hard", 2.0)


@case("lif soft", [2, 6, 3, 2])
def _(x, P, S, Z, training):
    return lif(2 * x, 1.5, 0.4, "soft", 4.0)


@case("lif one moment", [4, 1, 5])
def _(x, P, S, Z, training):
    return lif(2 * x, 2.0, 0.5, "hard", 2.0)


def main(folder):
    made = [record(name, dims, params, stats, mode, noises, ids, fn) for name, dims, params, stats, modes, noises, ids, fn in CASES for mode in modes]
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in made)
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "layers.json").write_text(f'{{"versions":{{"torch":"{torch.__version__}"}},"cases":[\n{text}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1])
