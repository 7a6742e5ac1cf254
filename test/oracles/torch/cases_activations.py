"""Derivative cases of the activation functions."""

import torch
import torch.nn.functional as F
from casefile import CaseFile, Float, Numbers

n = Numbers(1)
f = CaseFile("activations")

f.add("Tanh", "Tanh", torch.tanh, [n.normal(4, 7)], batch=True)
f.add("Relu", "Relu", F.relu, [n.apart(4, 3, 5)], batch=True)
f.add("Relu at its kink", "Relu", F.relu, [[0.0, -1.0, 2.0]], kink=True)

f.write()
