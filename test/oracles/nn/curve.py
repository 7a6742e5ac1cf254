"""Losses of 200 steps of a small convolutional net with batch normalisation, in PyTorch with one thread, with two, and in float64.

    python curve.py > ../../fixtures/nn/curve.json
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

from formula import fill, uniform

STEPS, BATCHES, SAMPLES, CLASSES = 200, 8, 32, 4


def net():
    layers = [("conv1", nn.Conv2d(1, 8, 3, padding=1, bias=False)), ("bn1", nn.BatchNorm2d(8)), ("relu1", nn.ReLU())]
    layers += [("pool", nn.MaxPool2d(2)), ("conv2", nn.Conv2d(8, 16, 3, padding=1)), ("bn2", nn.BatchNorm2d(16)), ("relu2", nn.ReLU())]
    layers += [("flat", nn.Flatten()), ("head", nn.Linear(16 * 36, CLASSES))]
    model = nn.Sequential()
    for name, layer in layers:
        model.add_module(name, layer)
    return model


def curve(dtype):
    model = net().to(dtype).train()
    fill(model)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=5e-4)
    losses = []
    for step in range(STEPS):
        batch = step % BATCHES
        x = torch.from_numpy(uniform(f"x{batch}", (SAMPLES, 1, 12, 12))).to(dtype)
        # what a pixel says, with a quarter of the labels drawn at random
        drawn = torch.from_numpy(uniform(f"label{batch}", (SAMPLES,)))
        label = torch.where(drawn < 0.25, drawn * 4 * CLASSES, x[:, 0, 5, 5].double() * CLASSES).long()
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), label)
        loss.backward()
        optimiser.step()
        losses.append(float(f"{loss.item():.8g}"))
    return losses


curves = {}
for name, threads, dtype in (("one", 1, torch.float32), ("two", 2, torch.float32), ("float64", 1, torch.float64)):
    torch.set_num_threads(threads)
    curves[name] = curve(dtype)
sizes = {"steps": STEPS, "batches": BATCHES, "samples": SAMPLES, "classes": CLASSES}
print(json.dumps({"versions": {"torch": torch.__version__}, **sizes, "losses": curves}, separators=(",", ":")))
