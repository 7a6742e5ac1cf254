"""Derivative cases of the activation functions."""

import torch
import torch.nn.functional as F
from casefile import CaseFile, Float, Numbers, constant

n = Numbers(1)
f = CaseFile("activations")
apart, wide = n.apart(4, 7), n.uniform(-5, 5, 4, 7)


def hard_sigmoid(alpha, beta):
    return lambda x: torch.clamp(alpha * x + beta, 0, 1)


def prelu(x, slope):
    return torch.where(x > 0, x, slope * x)


def shrink(lambd, bias):
    return lambda x: torch.where(x > lambd, x - bias, torch.where(x < -lambd, x + bias, 0 * x))


f.add("Tanh", "Tanh", torch.tanh, [n.normal(4, 7)], batch=True)
f.add("Relu", "Relu", F.relu, [apart], batch=True)
f.add("Relu at its kink", "Relu", F.relu, [[0.0, -1.0, 2.0]], kink=True)
f.add("LeakyRelu", "LeakyRelu", lambda x: F.leaky_relu(x, 0.01), [apart], batch=True)
f.add("LeakyRelu, alpha 0.25", "LeakyRelu", lambda x: F.leaky_relu(x, 0.25), [apart], attrs={"alpha": Float(0.25)})
f.add("LeakyRelu, negative alpha", "LeakyRelu", lambda x: F.leaky_relu(x, -0.5), [apart], attrs={"alpha": Float(-0.5)})
f.add("PRelu, one slope", "PRelu", prelu, [apart, [0.25]], batch=True)
f.add("PRelu, slope per channel", "PRelu", prelu, [n.apart(4, 3, 5), n.normal(3, 1)], batch=True)
f.add("PRelu, constant slope", "PRelu", prelu, [n.apart(4, 3, 5), constant(n.normal(3, 1))], batch=True)
f.add("ThresholdedRelu", "ThresholdedRelu", lambda x: F.threshold(x, 1.0, 0.0), [n.apart(4, 7) + 0.97], batch=True)
f.add("ThresholdedRelu, alpha 0.5", "ThresholdedRelu", lambda x: F.threshold(x, 0.5, 0.0), [n.apart(4, 7) + 0.47], attrs={"alpha": Float(0.5)})
f.add("Shrink", "Shrink", shrink(0.5, 0.0), [wide], batch=True)
f.add("Shrink with bias", "Shrink", shrink(1.5, 0.75), [wide], attrs={"lambd": Float(1.5), "bias": Float(0.75)})
f.add("Elu", "Elu", F.elu, [apart], batch=True)
f.add("Elu, alpha 1.5", "Elu", lambda x: F.elu(x, 1.5), [apart], attrs={"alpha": Float(1.5)})
f.add("Selu", "Selu", F.selu, [apart], batch=True)
f.add("Selu, other constants", "Selu", lambda x: 1.25 * F.elu(x, 1.5), [apart], attrs={"alpha": Float(1.5), "gamma": Float(1.25)})
f.add("Celu", "Celu", F.celu, [apart], batch=True)
f.add("Celu, alpha 2", "Celu", lambda x: F.celu(x, 2.0), [apart], attrs={"alpha": Float(2.0)})
f.add("Sigmoid", "Sigmoid", torch.sigmoid, [wide], batch=True)
f.add("HardSigmoid", "HardSigmoid", hard_sigmoid(0.25, 0.5), [wide], attrs={"alpha": Float(0.25)}, batch=True)
f.add("HardSigmoid as PyTorch's", "HardSigmoid", hard_sigmoid(0.125, 0.625), [wide], attrs={"alpha": Float(0.125), "beta": Float(0.625)})
f.add("HardSwish", "HardSwish", F.hardswish, [wide], opset=18, batch=True)
f.add("Swish", "Swish", F.silu, [wide], opset=24, batch=True)
f.add("Swish, alpha 2", "Swish", lambda x: x * torch.sigmoid(2 * x), [wide], attrs={"alpha": Float(2.0)}, opset=24)
f.add("Softplus", "Softplus", F.softplus, [wide], batch=True)
f.add("Softplus, far out", "Softplus", lambda x: torch.logaddexp(x, torch.zeros_like(x)), [[-60.0, -20.0, 20.0, 90.0]])
f.add("Softsign", "Softsign", F.softsign, [apart], batch=True)
f.add("Mish", "Mish", F.mish, [wide], batch=True)
f.add("Gelu", "Gelu", F.gelu, [wide], opset=20, batch=True)
f.add("Gelu by tanh", "Gelu", lambda x: F.gelu(x, approximate="tanh"), [wide], attrs={"approximate": "tanh"}, opset=20, batch=True)

f.write()
