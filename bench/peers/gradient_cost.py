"""Peer of the benchmark gradient-cost: forward, and gradient of the summed outputs, of an ONNX graph in PyTorch, eager mode.

usage: gradient_cost.py MODEL THREADS DIM...; prints its version, then the seconds of one "forward" or "gradient" per line read.
"""
import sys
import time

import torch
from onnx_torch import load

torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(0)
run = load(sys.argv[1])
x = torch.rand(*map(int, sys.argv[3:]))

print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    if line.strip() == "forward":
        with torch.no_grad():
            run(x)
    else:
        x.requires_grad_(True)
        torch.autograd.grad(run(x)[0].sum(), x)
        x = x.detach()
    print(time.perf_counter() - started, flush=True)
