"""Peer of the benchmark pgd-resnet18: the plain Linf-PGD loop on ResNet-18 in PyTorch, eager mode.

usage: pgd_resnet18.py SIDE BATCH STEPS THREADS; prints its version, then the seconds of one attack per line read; for the line "memory" the most memory
the process ever held (MB).
"""
import resource
import sys
import time

import torch
from torch import nn

side, batch, steps, threads = map(int, sys.argv[1:5])
torch.manual_seed(0)
torch.set_num_threads(threads)


class Block(nn.Module):
    def __init__(self, inside, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.skip = None
        if stride != 1 or inside != out:
            self.skip = nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + (x if self.skip is None else self.skip(x)))


def resnet18():
    sizes = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *[Block(*s) for s in sizes], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


net = resnet18().eval().requires_grad_(False)
x0 = torch.rand(batch, 3, side, side)
labels = torch.arange(batch)
eps, alpha = 8 / 255, 2 / 255


def attack():
    x = (x0 + torch.empty_like(x0).uniform_(-eps, eps)).clamp_(0, 1)
    for _ in range(steps):
        x.requires_grad_(True)
        loss = nn.functional.cross_entropy(net(x), labels, reduction="sum")
        (g,) = torch.autograd.grad(loss, x)
        x = x.detach() + alpha * g.sign()
        x = (x0 + (x - x0).clamp_(-eps, eps)).clamp_(0, 1)
    return x


print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    if line.strip() == "memory":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
        continue
    started = time.perf_counter()
    attack()
    print(time.perf_counter() - started, flush=True)
