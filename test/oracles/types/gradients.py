"""Gradients of the nets of models.py in float64, by PyTorch's autograd over a reading of the files that shares nothing with provoke.
Run: python gradients.py FOLDER_OF_MODELS OUTPUT.json (torch 2.15.0, onnx 1.23.2)

Rounding passes gradients on as the identity where it does not saturate, as torch.fake_quantize_per_tensor_affine does (checked below); the range of
DynamicQuantizeLinear is a constant. The gradient is that of a weighted sum of the logits."""
import json
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ranges = {"uint8": (0, 255), "int8": (-128, 127), "uint16": (0, 65535), "int16": (-32768, 32767)}
closest = 1.0


class Rounded(torch.autograd.Function):
    """round(x / s) + z, saturated."""

    @staticmethod
    def forward(context, x, scale, zero, low, high):
        global closest
        steps = x / scale
        whole = torch.round(steps)
        inside = (whole + zero >= low) & (whole + zero <= high)
        near = inside & (whole != 0)
        if near.any():
            closest = min(closest, float((0.5 - (steps - whole).abs())[near].min()))
        context.save_for_backward(inside, scale)
        return torch.clamp(whole + zero, low, high)

    @staticmethod
    def backward(context, dy):
        inside, scale = context.saved_tensors
        return dy * inside / scale, None, None, None, None


def check_against_fake_quantize():
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(2000, generator=generator) * 40).requires_grad_()
    weight = torch.randn(2000, generator=generator)
    theirs = torch.fake_quantize_per_tensor_affine(x, 0.25, 100, 0, 255)
    (expected,) = torch.autograd.grad((theirs * weight).sum(), x)
    ours = (Rounded.apply(x, torch.tensor(0.25), torch.tensor(100.0), 0, 255) - 100) * 0.25
    (got,) = torch.autograd.grad((ours * weight).sum(), x)
    assert torch.equal(theirs, ours) and torch.allclose(expected, got, rtol=1e-6), "this is not PyTorch's fake quantisation"
    assert (expected == 0).any() and (expected != 0).any()


def laid(value, rank, axis):
    """A value per channel, so that it broadcasts."""
    if value.dim() != 1 or value.numel() == 1:
        return value.reshape([]) if value.numel() == 1 else value
    shape = [1] * rank
    shape[axis] = -1
    return value.reshape(shape)


def run(model, feeds):
    types = {}
    values = {"": None}
    for initializer in model.graph.initializer:
        array = numpy_helper.to_array(initializer)
        types[initializer.name] = str(array.dtype)
        values[initializer.name] = torch.tensor(array.astype(np.float64))
    values.update(feeds)
    for node in model.graph.node:
        given = [values[name] for name in node.input]
        kinds = [types.get(name) for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        made = operators[node.op_type](given, attributes, kinds)
        for name, value in zip(node.output, made if isinstance(made, tuple) else (made,)):
            values[name] = value
            if node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear"):
                types[name] = kinds[2] if node.op_type == "QuantizeLinear" else "uint8"
    return values


def at(given, i):
    return given[i] if i < len(given) else None


def centred(q, zero, axis=1):
    return q if zero is None else q - laid(zero, q.dim(), axis)


def real(q, scale, zero, axis=1):
    return centred(q, zero, axis) * laid(scale, q.dim(), axis)


def quantised(x, scale, zero, kind, axis=1):
    zero = torch.zeros((), dtype=torch.float64) if zero is None else zero
    return Rounded.apply(x, laid(scale, x.dim(), axis), laid(zero, x.dim(), axis), *ranges[kind])


def convolution(x, w, bias, a):
    pads = a.get("pads", [0, 0, 0, 0])
    return F.conv2d(F.pad(x, [pads[1], pads[3], pads[0], pads[2]]), w, bias, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def dynamic(g, a, t):
    x = g[0].detach()
    low, high = torch.clamp(x.min(), max=0), torch.clamp(x.max(), min=0)
    scale = (high - low) / 255
    zero = torch.clamp(torch.round(-low / scale), 0, 255)
    return quantised(g[0], scale, zero, "uint8"), scale, zero


def gemm(a, b, c, attributes):
    product = attributes.get("alpha", 1.0) * ((a.T if attributes.get("transA") else a) @ (b.T if attributes.get("transB") else b))
    return product if c is None else product + c


def qgemm(g, a, t):
    kept = {k: v for k, v in a.items() if k != "alpha"}
    b = centred(g[3], g[5], 0 if a.get("transB") else 1)
    sums = gemm(centred(g[0], g[2]), b, g[6], kept) * a.get("alpha", 1.0) * g[1] * laid(g[4], 2, 1)
    return sums if at(g, 7) is None else quantised(sums, g[7], g[8], t[8])


def qlinear_conv(g, a, t):
    bias = at(g, 8)
    sums = convolution(centred(g[0], g[2]), centred(g[3], g[5], 0), bias, a)
    return quantised(sums * g[1] * laid(g[4], 4, 1), g[6], g[7], t[7])


def layer_norm(g, a, t):
    mean = g[0].mean(-1, keepdim=True)
    variance = ((g[0] - mean) ** 2).mean(-1, keepdim=True)
    return (g[0] - mean) / torch.sqrt(variance + a.get("epsilon", 1e-5)) * g[1] + g[2]


operators = {
    "Add": lambda g, a, t: g[0] + g[1],
    "Cast": lambda g, a, t: g[0],
    "Conv": lambda g, a, t: convolution(g[0], g[1], at(g, 2), a),
    "ConvInteger": lambda g, a, t: convolution(centred(g[0], at(g, 2)), centred(g[1], at(g, 3), 0), None, a),
    "DequantizeLinear": lambda g, a, t: real(g[0], g[1], at(g, 2), a.get("axis", 1)),
    "DynamicQuantizeLinear": dynamic,
    "Flatten": lambda g, a, t: g[0].flatten(1),
    "Gemm": lambda g, a, t: gemm(g[0], g[1], at(g, 2), a),
    "LayerNormalization": layer_norm,
    "MatMul": lambda g, a, t: g[0] @ g[1],
    "MatMulInteger": lambda g, a, t: centred(g[0], at(g, 2)) @ centred(g[1], at(g, 3), -1),
    "MaxPool": lambda g, a, t: F.max_pool2d(g[0], a["kernel_shape"], a["strides"]),
    "Mul": lambda g, a, t: g[0] * g[1],
    "QGemm": qgemm,
    "QLinearAdd": lambda g, a, t: quantised(real(*g[0:3]) + real(*g[3:6]), g[6], g[7], t[7]),
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": lambda g, a, t: quantised(centred(g[0], g[2]) @ centred(g[3], g[5], -1) * g[1] * laid(g[4], 2, 1), g[6], g[7], t[7]),
    "QuantizeLinear": lambda g, a, t: quantised(g[0], g[1], at(g, 2), t[2], a.get("axis", 1)),
    "ReduceMean": lambda g, a, t: g[0].mean([int(v) for v in (g[1] if len(g) > 1 else a["axes"])], keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda g, a, t: torch.relu(g[0]),
    "Reshape": lambda g, a, t: g[0].reshape([int(v) for v in g[1]]) if g[1].numel() > 1 else g[0].reshape(-1),
    "Sigmoid": lambda g, a, t: torch.sigmoid(g[0]),
    "Tanh": lambda g, a, t: torch.tanh(g[0]),
    "Constant": lambda g, a, t: torch.tensor(numpy_helper.to_array(a["value"]).astype(np.float64)),
}

check_against_fake_quantize()
shapes = {"image": (2, 3, 8, 8), "signal": (2, 6, 5)}
cases = {}
for path in sorted(folder.glob("*.onnx")):
    model = onnx.load(path)
    name = model.graph.input[0].name
    # a point where no value lies so close to the border between two integers that float32 could fall on its other side
    for seed in range(200):
        closest = 1.0
        draw = np.random.default_rng(seed)
        point = draw.random(shapes[name]) if name == "image" else draw.normal(size=shapes[name])
        x = torch.tensor(point.astype(np.float16).astype(np.float64), requires_grad=True)
        logits = run(model, {name: x})[model.graph.output[0].name]
        # a step of 16 bits is too small to matter
        if closest > 3e-4 or "int16" in path.name:
            break
    else:
        raise SystemExit(f"{path.name}: no safe point")
    weights = torch.tensor([0.5, -1.0, 0.25, 0.75], dtype=torch.float64)[: logits.shape[1]]
    (gradient,) = torch.autograd.grad((logits @ weights).sum(), x)
    print(f"{path.name}: seed {seed}, closest {closest:.4f}, gradient {gradient.norm():.4f}")
    flat = lambda t, digits: [float(f"{v:.{digits}g}") for v in t.detach().flatten().tolist()]
    cases[path.stem] = {"input": name, "x": flat(x, 17), "weights": weights.tolist(), "logits": flat(logits, 9), "gradient": flat(gradient, 9)}
output.write_text(json.dumps({"versions": {"torch": torch.__version__.split("+")[0], "onnx": onnx.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
