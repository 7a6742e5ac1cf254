"""Peer of the benchmark and the experiment on AutoAttack: the authors' own code (github.com/fra31/auto-attack, commit a392200) in PyTorch, eager mode.

usage: autoattack_original.py MODEL.onnx DATA.f32 LABELS SHAPE EPS NORM TARGETS THREADS
MODEL is a prepared graph (onnx_torch.py), DATA the samples as raw float32, LABELS their classes and SHAPE one sample's sizes, both separated by commas.
Prints its version; then, for every seed read from stdin, one line of JSON: seconds, which samples stand after each part, samples that went forward and backward.
The package `autoattack` must be importable (PYTHONPATH).
"""
import json
import sys
import time

import numpy as np
import torch
from autoattack import AutoAttack

from onnx_torch import load

path, data, labels, shape, eps, norm, targets, threads = sys.argv[1:9]
torch.set_num_threads(int(threads))
graph = load(path)
y = torch.tensor([int(v) for v in labels.split(",")])
x = torch.from_numpy(np.fromfile(data, dtype=np.float32).reshape(len(y), *[int(v) for v in shape.split(",")]))
passes = {"forwards": 0, "backwards": 0}


def went_back(gradient):
    passes["backwards"] += len(gradient)
    return gradient


def net(images):
    passes["forwards"] += len(images)
    logits = graph(images)[0]
    if logits.requires_grad:
        logits.register_hook(went_back)
    return logits


def attack(seed):
    adversary = AutoAttack(net, norm={"linf": "Linf", "l2": "L2", "l1": "L1"}[norm], eps=float(eps), version="standard", seed=seed, verbose=False, device="cpu")
    adversary.apgd_targeted.n_target_classes = min(adversary.apgd_targeted.n_target_classes, int(targets))
    adversary.fab.n_target_classes = int(targets)
    passes.update(forwards=0, backwards=0)
    started = time.perf_counter()
    found = adversary.run_standard_evaluation(x, y, bs=len(x))
    seconds = time.perf_counter() - started
    spent = dict(passes)
    with torch.no_grad():
        stands = net(found).argmax(1) == y
    return {"seconds": seconds, "stands": stands.int().tolist(), **spent}


print(f"auto-attack a392200, torch {torch.__version__}", flush=True)
for line in sys.stdin:
    # its warnings go to stdout
    out, sys.stdout = sys.stdout, sys.stderr
    result = attack(int(line))
    sys.stdout = out
    print(json.dumps(result), flush=True)
