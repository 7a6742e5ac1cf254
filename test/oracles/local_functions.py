"""Models with overloaded functions, and with functions of other opsets than their own: python local_functions.py (onnx 1.23, onnxscript 0.7.2, torch 2.15.0)

Writes test/fixtures/functions: files, and cases.json with inputs, outputs and the gradient of the weighted sum of outputs, in float64 by PyTorch.
The runtime itself cannot run those of another opset: it reads the bodies in the opset of the model.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxscript
import torch
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper
from onnxscript import FLOAT
from onnxscript import opset15 as op15
from onnxscript import opset18 as op18

from exports.common import machine_paths

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "functions"
node = h.make_node
F = torch.nn.functional


def value(name, dims):
    return h.make_tensor_value_info(name, T.FLOAT, dims)


def model(nodes, opset, functions, x, y, tensors=(), ir=10):
    graph = h.make_graph(nodes, "calls", [value("x", x)], [value("y", y)], list(tensors))
    domains = sorted({f.domain for f in functions})
    opsets = [h.make_opsetid("", opset), *(h.make_opsetid(d, 1) for d in domains)]
    return h.make_model(graph, opset_imports=opsets, ir_version=ir, functions=functions, producer_name="fixtures")


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def referring(made, name, kind, reference):
    made.attribute.add(name=name, ref_attr_name=reference, type=kind)
    return made


def overloads():
    """Three functions of one name; the second calls the first."""
    import_ = [h.make_opsetid("", 21), h.make_opsetid("local", 1)]
    f = lambda overload, nodes: h.make_function("local", "Bend", ["a"], ["b"], nodes, import_, overload=overload)  # noqa: E731
    call = lambda a, b, overload: node("Bend", [a], [b], domain="local", overload=overload)  # noqa: E731
    functions = [
        f("", [node("Mul", ["a", "a"], ["b"])]),
        f("soft", [node("Softplus", ["a"], ["s"]), call("s", "b", "")]),
        f("bounded", [node("Tanh", ["a"], ["b"])]),
    ]
    nodes = [call("x", "p", "soft"), call("x", "q", "bounded"), node("Add", ["p", "q"], ["y"])]
    return model(nodes, 21, functions, ["N", 4], ["N", 4]), (3, 4), lambda x: F.softplus(x) ** 2 + torch.tanh(x)


def older():
    """Functions of opset 11 and 8 in a model of opset 18: a Softmax over all axes from the first on, attributes that became inputs, defaults and references."""
    squash = h.make_function(
        "eleven",
        "Squash",
        ["a"],
        ["b"],
        [node("Softmax", ["a"], ["s"]), referring(node("ReduceSum", ["s"], ["r"], keepdims=0), "axes", onnx.AttributeProto.INTS, "over"), node("Unsqueeze", ["r"], ["b"], axes=[1])],
        [h.make_opsetid("", 11)],
        ["over"],
    )
    clip = h.make_function("eight", "Keep", ["a"], ["b"], [node("Clip", ["a"], ["b"], min=-0.5, max=0.75)], [h.make_opsetid("", 8)])
    nodes = [node("Squash", ["x"], ["s"], domain="eleven", over=[2]), node("Keep", ["x"], ["c"], domain="eight"), node("Mul", ["c", "s"], ["y"])]

    def twin(x):
        s = torch.softmax(x.flatten(1), 1).reshape(x.shape).sum(2)[:, None]
        return torch.clamp(x, -0.5, 0.75) * s

    return model(nodes, 18, [squash, clip], ["N", 4, 4], ["N", 4, 4]), (2, 4, 4), twin


def newer():
    """A function of opset 21 in a model of opset 18, whose own nodes mean something else in opset 21."""
    gelu = h.make_function("later", "Gate", ["a"], ["b"], [node("Gelu", ["a"], ["b"], approximate="tanh")], [h.make_opsetid("", 21)])
    rng = np.random.default_rng(0)
    scale, bias = (rng.standard_normal(2).astype(np.float32) for _ in range(2))
    theta = np.array([[[0.9, 0.2, 0.05], [-0.1, 0.8, 0.1]]], np.float32)
    grid = F.affine_grid(torch.tensor(theta), (1, 1, 3, 3), align_corners=False).numpy()
    nodes = [
        node("GroupNormalization", ["x", "scale", "bias"], ["n"], num_groups=2, epsilon=1e-5),
        node("GridSample", ["n", "grid"], ["g"], mode="bilinear"),
        node("Gate", ["g"], ["y"], domain="later"),
    ]
    tensors = [constant("scale", scale), constant("bias", bias), constant("grid", grid)]

    def twin(x):
        wide = lambda v: torch.tensor(v.astype(np.float64)).repeat_interleave(2)  # noqa: E731
        n = F.group_norm(x, 2, wide(scale), wide(bias), 1e-5)
        return F.gelu(F.grid_sample(n, torch.tensor(grid.astype(np.float64)), "bilinear", align_corners=False), approximate="tanh")

    return model(nodes, 18, [gelu], [1, 4, 4, 4], [1, 4, 3, 3], tensors), (1, 4, 4, 4), twin


def spectrum():
    """A transform along the axis opset 18 takes by default, beside a function of opset 20."""
    double = h.make_function("later", "Square", ["a"], ["b"], [node("Mul", ["a", "a"], ["b"])], [h.make_opsetid("", 20)])
    nodes = [node("DFT", ["x"], ["f"], onesided=1), node("Square", ["f"], ["y"], domain="later")]
    return model(nodes, 18, [double], [2, 6, 3, 1], [2, 4, 3, 2]), (2, 6, 3, 1), lambda x: torch.view_as_real(torch.fft.rfft(x[..., 0], dim=1)) ** 2


lib = onnxscript.values.Opset("lib", 1)


@onnxscript.script(lib, default_opset=op15)
def Swish(a, beta: float = 1.5):
    width = op15.CastLike(op15.Constant(value_float=beta), a)
    return a * op15.Sigmoid(a * width)


@onnxscript.script(default_opset=op18)
def scripted(x: FLOAT["N", 5]) -> FLOAT["N", 5]:  # noqa: F821
    y = Swish(x, beta=0.5)
    return y + Swish(x)


def onnxscripted():
    """Functions as onnxscript writes them."""
    made = scripted.to_model_proto()
    assert {o.version for f in made.functions for o in f.opset_import if o.domain == ""} == {15}
    assert [o.version for o in made.opset_import if o.domain == ""] == [18]
    return made, (3, 5), lambda x: x * torch.sigmoid(0.5 * x) + x * torch.sigmoid(1.5 * x)


def main():
    FOLDER.mkdir(exist_ok=True)
    records = []
    for name, make in {"overloaded": overloads, "older": older, "newer": newer, "spectrum": spectrum, "onnxscript": onnxscripted}.items():
        made, dims, twin = make()
        if name in ("overloaded", "onnxscript"):
            # the checker refuses functions whose operators differ between the two opsets
            onnx.checker.check_model(made)
        data = made.SerializeToString()
        assert not any(path.encode() in data for path in machine_paths())
        file = f"{name}.onnx"
        (FOLDER / file).write_bytes(data)
        rng = np.random.default_rng(1)
        x = torch.tensor(rng.standard_normal(dims).astype(np.float32).astype(np.float64), requires_grad=True)
        y = twin(x)
        weights = torch.tensor(rng.standard_normal(tuple(y.shape)).astype(np.float32).astype(np.float64))
        (y * weights).sum().backward()
        tensor = lambda t: {"dims": list(t.shape), "values": [float(f"{v:.17g}") for v in t.detach().reshape(-1).tolist()]}  # noqa: E731
        records.append({"file": file, "x": tensor(x), "weights": tensor(weights), "y": tensor(y), "gradient": tensor(x.grad)})
        print(file, len(data))
    versions = {"onnx": onnx.__version__, "onnxscript": onnxscript.__version__, "torch": torch.__version__.split("+")[0]}
    lines = ",\n".join(json.dumps(r) for r in records)
    (FOLDER / "cases.json").write_text(f'{{"versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
