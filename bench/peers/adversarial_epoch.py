"""Peer of the benchmark adversarial-epoch: PGD adversarial training (Madry et al. 2018) of the same small CNN in PyTorch, eager mode.

usage: adversarial_epoch.py SAMPLES SIDE CLASSES BATCH EPS STEPS LR MOMENTUM THREADS; prints its version, then the seconds of one epoch per line read.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

samples, side, classes, batch = map(int, sys.argv[1:5])
eps, steps, lr, momentum, threads = float(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7]), float(sys.argv[8]), int(sys.argv[9])
torch.set_num_threads(threads)
torch.manual_seed(0)


def stage(a, b):
    return [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True), nn.MaxPool2d(2)]


class SmallCnn(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.stages = nn.Sequential(*stage(1, width), *stage(width, 2 * width), *stage(2 * width, 4 * width), *stage(4 * width, 4 * width))
        self.drop = nn.Dropout(0.25)
        self.head = nn.Linear(4 * width * (side // 16) ** 2, classes)

    def forward(self, x):
        return self.head(self.drop(self.stages(2 * x - 1).flatten(1)))


net = SmallCnn()
optimiser = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
images = torch.rand(samples, 1, side, side)
labels = torch.arange(samples) % classes
alpha = 2.5 * eps / steps


def pgd(x0, y):
    net.eval()
    x = (x0 + torch.empty_like(x0).uniform_(-eps, eps)).clamp_(0, 1)
    for _ in range(steps):
        x.requires_grad_(True)
        (g,) = torch.autograd.grad(F.cross_entropy(net(x), y, reduction="sum"), x)
        x = x.detach() + alpha * g.sign()
        x = (x0 + (x - x0).clamp_(-eps, eps)).clamp_(0, 1)
    net.train()
    return x


def epoch():
    for chosen in torch.randperm(samples).split(batch):
        x, y = images[chosen], labels[chosen]
        x = pgd(x, y)
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
        loss.item()


print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    epoch()
    print(time.perf_counter() - started, flush=True)
