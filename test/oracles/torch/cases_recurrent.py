"""Derivative cases of recurrent nodes: plain LSTM, GRU and RNN from torch.nn, their variants from recurrences.py."""

import numpy as np
import torch
from casefile import CaseFile, Float, Floats, Numbers, constant
from recurrences import GATES, recurrent

n = Numbers(31)
f = CaseFile("recurrent")
H = 3


def rounded(value):
    """As a float attribute holds it."""
    return float(np.float32(value))


def weights(op, directions, inputs, hidden=H, scale=0.6):
    g = GATES[op]
    return scale * n.normal(directions, g * hidden, inputs), scale * n.normal(directions, g * hidden, hidden), 0.3 * n.normal(directions, 2 * g * hidden)


def case(name, op, T=5, N=2, I=2, hidden=H, lens=None, states=False, peepholes=False, bias=True, fixed=False, outputs=None, wrt=None, scale=0.6, **variant):
    """One case of recurrences.py; outputs: which of Y, Y_h, Y_c the node has."""
    attrs = {"hidden_size": hidden}
    direction = variant.get("direction", "forward")
    directions = 2 if direction == "bidirectional" else 1
    attrs["direction"] = direction
    if "names" in variant:
        attrs["activations"] = variant["names"]
    for key, onnx in (("alphas", "activation_alpha"), ("betas", "activation_beta")):
        if key in variant:
            variant[key] = [rounded(v) for v in variant[key]]
            attrs[onnx] = Floats(variant[key])
    if "clip" in variant:
        variant["clip"] = rounded(variant["clip"])
        attrs["clip"] = Float(variant["clip"])
    for key in ("input_forget", "linear_before_reset"):
        if key in variant:
            attrs[key] = variant[key]
    w, r, b = weights(op, directions, I, hidden, scale)
    inputs = [n.normal(T, N, I), w, r, b if bias else None]
    inputs.append(None if lens is None else np.array(lens, dtype=np.int32))
    inputs.append(n.normal(directions, N, hidden) if states else None)
    if op == "LSTM":
        inputs.append(n.normal(directions, N, hidden) if states else None)
        inputs.append(0.5 * n.normal(directions, 3 * hidden) if peepholes else None)
    if fixed:
        inputs = [i if k == 0 or i is None or i.dtype.kind == "i" else constant(i) for k, i in enumerate(inputs)]
    count = 3 if op == "LSTM" else 2
    kept = outputs or list(range(count))
    run = recurrent(op, **variant)

    def function(*xs):
        results = run(*xs)
        return tuple(results[k] if k in kept else None for k in range(max(kept) + 1))

    f.add(name, op, function, inputs, attrs, wrt=wrt)


def plain(name, op, T, N, I, hidden, bidirectional, wrt):
    """torch.nn's own layer; its gates lie in another order."""
    order = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}[op]
    layer = getattr(torch.nn, op)(I, hidden, bidirectional=bidirectional).double()
    directions = 2 if bidirectional else 1
    w, r, b = weights(op, directions, I, hidden, hidden**-0.5)
    names = [f"{kind}_l0{suffix}" for suffix in ["", "_reverse"][:directions] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def gates(t):
        """From ONNX's order of gates to PyTorch's: i o f c to i f g o, z r h to r z n."""
        parts = t.chunk(len(order), 0)
        places = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}[op]
        return torch.cat([parts[k] for k in places], 0)

    def function(X, W, R, B):
        given = {}
        for d in range(directions):
            bw, br = B[d].chunk(2)
            for key, value in zip(names[4 * d : 4 * d + 4], (W[d], R[d], bw, br)):
                given[key] = gates(value)
        y, last = torch.func.functional_call(layer.to(X.dtype), given, (X,))
        y = y.reshape(X.shape[0], X.shape[1], directions, hidden).transpose(1, 2)
        return (y, *last) if op == "LSTM" else (y, last)

    attrs = {"hidden_size": hidden, "direction": "bidirectional" if bidirectional else "forward"}
    if op == "GRU":
        attrs["linear_before_reset"] = 1
    f.add(name, op, function, [n.normal(T, N, I), w, r, b], attrs, wrt=wrt)


for op in ("LSTM", "GRU", "RNN"):
    plain(f"{op} of torch.nn", op, 4, 3, 2, 3, False, [0, 1, 2, 3])
    plain(f"{op} of torch.nn, bidirectional", op, 3, 2, 2, 2, True, [0, 1, 2, 3])
    plain(f"{op} of torch.nn, 200 moments", op, 200, 1, 1, 2, False, [0, 2])
    case(f"{op} reverse with initial states", op, direction="reverse", states=True)
    case(f"{op} bidirectional with initial states", op, direction="bidirectional", states=True)
    case(f"{op} constant weights", op, direction="bidirectional", fixed=True, states=True)
    case(f"{op} states only", op, outputs=[0])
    case(f"{op} last state only", op, outputs=[1], direction="bidirectional")
    case(f"{op} without bias", op, bias=False, states=True)
    case(f"{op} one moment", op, T=1, states=True)
    case(f"{op} lengths", op, N=4, lens=[5, 2, 0, 1], states=True)
    case(f"{op} lengths, reverse", op, N=3, lens=[1, 5, 4], states=True, direction="reverse", outputs=[0])
    case(f"{op} lengths, bidirectional", op, N=3, lens=[3, 5, 2], states=True, direction="bidirectional")
    case(f"{op} lengths, last state only", op, N=3, lens=[3, 5, 2], outputs=[1], direction="bidirectional")
    case(f"{op} 200 moments, bidirectional, lengths", op, T=200, N=2, I=1, hidden=2, lens=[200, 73], direction="bidirectional", wrt=[0, 2])
    case(f"{op} clip", op, clip=0.8, states=True, scale=1.0)
case("LSTM last cell state only", "LSTM", outputs=[2])
case("LSTM last cell state only, lengths", "LSTM", outputs=[2], lens=[2, 5], direction="reverse")
case("LSTM peepholes", "LSTM", peepholes=True, states=True)
case("LSTM peepholes, bidirectional, lengths", "LSTM", N=3, peepholes=True, states=True, direction="bidirectional", lens=[2, 5, 3])
case("LSTM peepholes, clip", "LSTM", peepholes=True, clip=0.7, scale=1.0)
case("LSTM peepholes, 200 moments", "LSTM", T=200, N=1, I=1, hidden=2, peepholes=True, wrt=[0, 7])
case("LSTM coupled gates", "LSTM", input_forget=1, states=True)
case("LSTM coupled gates, peepholes, reverse", "LSTM", input_forget=1, states=True, peepholes=True, direction="reverse")
for reset in (0, 1):
    tag = f"GRU linear_before_reset {reset}"
    case(f"{tag}, everything", "GRU", N=3, linear_before_reset=reset, states=True, direction="bidirectional", lens=[2, 5, 3])
    case(f"{tag}, clip", "GRU", linear_before_reset=reset, clip=0.6, scale=1.0)
    case(f"{tag}, without bias", "GRU", linear_before_reset=reset, bias=False)
case("LSTM HardSigmoid, Softsign, Elu", "LSTM", names=["HardSigmoid", "Softsign", "Elu"], alphas=[0.3, 0.7], betas=[0.4])
case("LSTM HardSigmoid by default, ScaledTanh, LeakyRelu", "LSTM", names=["HardSigmoid", "ScaledTanh", "LeakyRelu"], alphas=[0.25, 0.7], betas=[0.5, 0.6])
case("LSTM Relu cells", "LSTM", names=["Sigmoid", "Relu", "Relu"])
case("LSTM two sets of activations", "LSTM", direction="bidirectional", names=["Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Softsign", "Affine"], alphas=[0.3, 0.9], betas=[0.4, 0.1])
case("GRU HardSigmoid, ThresholdedRelu", "GRU", names=["HardSigmoid", "ThresholdedRelu"], alphas=[0.3, 0.1], betas=[0.4])
case("GRU Sigmoid, Softplus", "GRU", names=["Sigmoid", "Softplus"], linear_before_reset=1)
for name, alphas, betas in [("Relu", [], []), ("Sigmoid", [], []), ("Affine", [0.5], [0.2]), ("LeakyRelu", [], []), ("ThresholdedRelu", [0.3], []), ("ScaledTanh", [0.8], [0.7]), ("HardSigmoid", [], []), ("Elu", [], []), ("Softsign", [], []), ("Softplus", [], [])]:
    case(f"RNN {name}", "RNN", names=[name], alphas=alphas, betas=betas, scale=0.5)
f.write()
