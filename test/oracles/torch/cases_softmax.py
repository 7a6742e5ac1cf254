"""Derivative cases of the softmax family."""

import torch
from casefile import CaseFile, Numbers

n = Numbers(4)
f = CaseFile("softmax")

for op, function in {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax}.items():
    f.add(op, op, lambda x, function=function: function(x, -1), [n.normal(4, 7)], batch=True)
    for axis in (0, 1, -2):
        f.add(f"{op}, axis {axis}", op, lambda x, axis=axis, function=function: function(x, axis), [n.normal(4, 3, 5)], attrs={"axis": axis}, batch=True)
    f.add(f"{op}, large values", op, lambda x, function=function: function(x, -1), [[[100.0, 101.5, 90.0], [-100.0, -98.0, -97.0]]])
f.add("LogSoftmax, confident", "LogSoftmax", lambda x: torch.log_softmax(x, -1), [[[0.0, 30.0, -5.0], [80.0, 0.0, 1.0]]])

f.write()
