"""Peer of the benchmark sda: the published algorithm (Lun et al., CVPR 2025: PDSG gradients, section 4.1; SDA, section 4.2) in PyTorch, eager mode.

Arguments: ONNX file of a spiking-vgg victim (its weights are read by name), threads, path of the clips without "-INDEX", their labels. Prints its version,
then for every line read the seconds of attacking all clips one at a time, and the flips each took. Measured with torch 2.15, onnx 1.23.
"""
import sys
import time

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch.nn import functional as F

path, threads, clips, *labels = sys.argv[1:]
torch.set_num_threads(int(threads))
weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in onnx.load(path).graph.initializer}


class Spike(torch.autograd.Function):
    """1 at or above the threshold; backwards a normal density as wide as the membranes so far deviate, half a deviation above the threshold."""

    @staticmethod
    def forward(ctx, over, sigma):
        ctx.save_for_backward(over, sigma)
        return (over >= 0).to(over.dtype)

    @staticmethod
    def backward(ctx, grad):
        over, sigma = ctx.saved_tensors
        z = (over - 0.5 * sigma) / sigma
        return grad * torch.exp(-0.5 * z * z) / (sigma * (2 * torch.pi) ** 0.5), None


def layer(x, needs_gradient):
    """Leaky neurons, tau 2, threshold 1, hard reset, over [B, T, C, H, W]."""
    v = torch.zeros_like(x[:, 0])
    n, total, squares = 0, 0.0, 0.0
    spikes = []
    for t in range(x.shape[1]):
        v = 0.5 * v + x[:, t]
        sigma = torch.ones(())
        if needs_gradient:
            seen = v.detach().double()
            n += seen[:, 0].numel()
            total = total + seen.sum((0, 2, 3))
            squares = squares + (seen * seen).sum((0, 2, 3))
            deviation = ((squares - total * total / n) / (n - 1)).clamp(min=0).sqrt().float()
            sigma = torch.where(deviation > 0, deviation, 1.0)[None, :, None, None]
        s = Spike.apply(v - 1, sigma)
        spikes.append(s)
        v = v * (1 - s)
    return torch.stack(spikes, 1)


def network(x, needs_gradient=False):
    """Logits of clips [B, T, 2, H, W]."""
    b, steps = x.shape[:2]
    for k in range(1, 5):
        y = F.conv2d(F.avg_pool2d(x.flatten(0, 1), 2), weights[f"conv{k}.weight"], padding=1)
        y = F.batch_norm(y, *(weights[f"bn{k}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")))
        x = layer(y.unflatten(0, (b, steps)), needs_gradient)
    return F.linear(x.mean((3, 4)).mean(1), weights["head.weight"], weights["head.bias"])


def lead(z, label):
    """By how much the label leads, 0 once it does not."""
    others = z.clone()
    others[:, label] = -torch.inf
    return (z[:, label] - others.max(1).values).clamp(min=0)


def logits(x):
    with torch.no_grad():
        return network(x)


def attack(x, label, k_init=10, iterations=500, together=64):
    """The flips of one clip [T, 2, H, W]; infinite for a failure."""
    generator = torch.Generator().manual_seed(0)
    start = x.flatten()
    mask = torch.zeros_like(start, dtype=torch.bool)
    worth = {}
    flip = lambda at, which: torch.where(which, 1 - at, at)
    for n in range(iterations):
        now = flip(start, mask)
        point = now.view(1, *x.shape).clone().requires_grad_()
        z = network(point, True)
        others = z.detach().clone()
        others[0, label] = -torch.inf
        g, = torch.autograd.grad(z[0, label] - z[0, others.argmax()], point)
        g = g.flatten()
        size = torch.where((1 - 2 * now) * g <= 0, g, 0).abs()
        least = size[size > 0].min() if (size > 0).any() else 1.0
        size = torch.where(size > 0, size, torch.rand(size.shape, generator=generator) * least)
        size[mask] = 0
        chosen = size.topk((n + 1) * k_init).indices
        before = lead(z.detach(), label)
        for some in chosen.split(together):
            points = now.repeat(len(some), 1)
            points[torch.arange(len(some)), some] = 1 - now[some]
            change = lead(logits(points.view(-1, *x.shape)), label) - before
            for i, d in zip(some.tolist(), change.tolist()):
                if d <= 0:
                    mask[i] = True
                    worth[i] = d
        if logits(flip(start, mask).view(1, *x.shape)).argmax() == label:
            continue
        order = torch.tensor(sorted(worth, key=lambda i: abs(worth[i])))
        low, high, gone = 0, len(order) - 1, 0
        while low <= high:
            middle = (low + high) // 2
            fewer = mask.clone()
            fewer[order[: middle + 1]] = False
            if logits(flip(start, fewer).view(1, *x.shape)).argmax() != label:
                gone, low = middle + 1, middle + 1
            else:
                high = middle - 1
        return int(mask.sum()) - gone
    return float("inf")


given = [torch.from_numpy(np.fromfile(f"{clips}-{k}", np.uint8).astype(np.float32)).view(10, 2, 64, 64) for k in range(len(labels))]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options)
for x in given:
    theirs = session.run(None, {"events": x[None].numpy()})[0]
    if abs(logits(x[None]).numpy() - theirs).max() > 1e-4:
        raise SystemExit("this is not the network of the ONNX file")
del session

print(f"torch {torch.__version__.split('+')[0]}", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    flips = [attack(x, int(label)) for x, label in zip(given, labels)]
    print(time.perf_counter() - started, *flips, flush=True)
