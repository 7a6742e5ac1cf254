"""Derivative cases of elementwise arithmetic, broadcasting included."""

import torch
from casefile import CaseFile, Numbers

n = Numbers(2)
f = CaseFile("arithmetic")

f.add("Add", "Add", torch.add, [n.normal(4, 3), n.normal(4, 3)], batch=[0, 1])
f.add("Mul", "Mul", torch.mul, [n.normal(4, 3), n.normal(3)], batch=True)

f.write()
