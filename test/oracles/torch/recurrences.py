"""LSTM, GRU and RNN of ONNX written out in torch operations, so that autograd differentiates every variant; torch.nn.LSTM knows only the plain one.

The conventions of the runtime where ONNX leaves them open: activation_alpha and activation_beta are handed out in order to the activations that use them;
a row of length 0 gives zeros; the clip acts on what enters the gates' activations, not on the cell state.
"""

import torch
from torch.nn import functional as F

USES_ALPHA = {"Affine": 0.0, "LeakyRelu": 0.01, "ThresholdedRelu": 1.0, "ScaledTanh": 0.0, "HardSigmoid": 0.2, "Elu": 1.0}
USES_BETA = {"Affine": 0.0, "ScaledTanh": 0.0, "HardSigmoid": 0.5}

FUNCTIONS = {
    "Relu": lambda x, a, b: torch.relu(x),
    "Tanh": lambda x, a, b: torch.tanh(x),
    "Sigmoid": lambda x, a, b: torch.sigmoid(x),
    "Affine": lambda x, a, b: a * x + b,
    "LeakyRelu": lambda x, a, b: torch.where(x >= 0, x, a * x),
    "ThresholdedRelu": lambda x, a, b: torch.where(x > a, x, torch.zeros_like(x)),
    "ScaledTanh": lambda x, a, b: a * torch.tanh(b * x),
    "HardSigmoid": lambda x, a, b: torch.clamp(a * x + b, 0, 1),
    "Elu": lambda x, a, b: torch.where(x >= 0, x, a * torch.expm1(x)),
    "Softsign": lambda x, a, b: x / (1 + x.abs()),
    "Softplus": lambda x, a, b: F.softplus(x, threshold=1e9),
}

DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def activations(op, directions, names, alphas, betas):
    """One list of functions per direction."""
    names = names or DEFAULTS[op] * directions
    alphas, betas = list(alphas or []), list(betas or [])
    made = []
    for name in names:
        a = (alphas.pop(0) if alphas else USES_ALPHA[name]) if name in USES_ALPHA else 0.0
        b = (betas.pop(0) if betas else USES_BETA[name]) if name in USES_BETA else 0.0
        made.append(lambda x, f=FUNCTIONS[name], a=a, b=b: f(x, a, b))
    each = len(DEFAULTS[op])
    return [made[d * each : (d + 1) * each] for d in range(directions)]


def recurrent(op, direction="forward", names=None, alphas=None, betas=None, clip=None, input_forget=0, linear_before_reset=0):
    """A function of the ONNX inputs (X, W, R, B, sequence_lens, initial_h, initial_c, P; None where left out) to (Y, Y_h[, Y_c])."""
    directions = 2 if direction == "bidirectional" else 1
    functions = activations(op, directions, names, alphas, betas)

    def clipped(x):
        return x if clip is None else torch.clamp(x, -clip, clip)

    def lstm(f, z, h, c, R, b, p):
        g, s, out = f
        zi, zo, zf, zc = (z + h @ R.T + b).chunk(4, -1)
        pi, po, pf = p.chunk(3, -1)
        i = g(clipped(zi + pi * c))
        forget = 1 - i if input_forget else g(clipped(zf + pf * c))
        c = forget * c + i * s(clipped(zc))
        return g(clipped(zo + po * c)) * out(c), c

    def gru(f, z, h, c, R, b, p):
        g, s = f
        H = h.shape[-1]
        zz, zr, zh = z.chunk(3, -1)
        gates = h @ R[: 2 * H].T + b[: 2 * H]
        update, reset = g(clipped(zz + gates[:, :H])), g(clipped(zr + gates[:, H:]))
        if linear_before_reset:
            new = s(clipped(zh + reset * (h @ R[2 * H :].T + b[2 * H :])))
        else:
            new = s(clipped(zh + (reset * h) @ R[2 * H :].T + b[2 * H :]))
        return (1 - update) * new + update * h, c

    def rnn(f, z, h, c, R, b, p):
        return f[0](clipped(z + h @ R.T + b)), c

    step = {"LSTM": lstm, "GRU": gru, "RNN": rnn}[op]

    def function(X, W, R, B=None, lens=None, h0=None, c0=None, P=None):
        T, N, _ = X.shape
        H = R.shape[-1]
        gates = GATES[op]
        lens = torch.full((N,), T) if lens is None else lens.long()
        time = torch.arange(T)[:, None]
        backwards = torch.where(time < lens, lens - 1 - time, time.expand(T, N))
        flip = lambda x: x.gather(0, backwards[:, :, None].expand_as(x))
        sequences, last_h, last_c = [], [], []
        for d in range(directions):
            reverse = direction == "reverse" or d == 1
            b = torch.zeros(2 * gates * H, dtype=X.dtype) if B is None else B[d]
            z = (flip(X) if reverse else X) @ W[d].T + b[: gates * H]
            zero = torch.zeros(N, H, dtype=X.dtype)
            h = zero if h0 is None else h0[d]
            c = zero if c0 is None else c0[d]
            p = torch.zeros(3 * H, dtype=X.dtype) if P is None else P[d]
            outputs = []
            for t in range(T):
                nh, nc = step(functions[d], z[t], h, c, R[d], b[gates * H :], p)
                on = (t < lens)[:, None]
                h, c = torch.where(on, nh, h), torch.where(on, nc, c)
                outputs.append(torch.where(on, nh, torch.zeros_like(nh)))
            y = torch.stack(outputs)
            some = (lens > 0)[:, None]
            sequences.append(flip(y) if reverse else y)
            last_h.append(torch.where(some, h, zero))
            last_c.append(torch.where(some, c, zero))
        results = (torch.stack(sequences, 1), torch.stack(last_h), torch.stack(last_c))
        return results if op == "LSTM" else results[:2]

    return function
