"""Peer of the benchmark lstm: input gradients (cross-entropy) of the speech CNN-LSTM in PyTorch, eager mode.

usage: lstm.py BATCH STEPS THREADS; prints its version, then the seconds of STEPS gradients per line read.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

batch, steps, threads = map(int, sys.argv[1:4])
torch.manual_seed(0)
torch.set_num_threads(threads)


class CnnLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.BatchNorm2d(16, eps=1e-3), nn.MaxPool2d(4, 2),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2, 2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2, 1),
        )
        self.lstm = nn.LSTM(64 * 26, 256, bidirectional=True)
        self.head = nn.Linear(512, 5)

    def forward(self, x):
        y = self.blocks(x.reshape(-1, 1, 29, 128))
        y = y.permute(0, 2, 3, 1).reshape(-1, 9, 64 * 26).transpose(0, 1)
        _, (last, _) = self.lstm(y)
        return self.head(last.transpose(0, 1).reshape(-1, 512))


net = CnnLstm().eval().requires_grad_(False)
x = torch.randn(batch, 261, 128, 1)
labels = torch.arange(batch) % 5


def gradients():
    for _ in range(steps):
        leaf = x.clone().requires_grad_(True)
        torch.autograd.grad(F.cross_entropy(net(leaf), labels, reduction="sum"), leaf)


print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    gradients()
    print(time.perf_counter() - started, flush=True)
