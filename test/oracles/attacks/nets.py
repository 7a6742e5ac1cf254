"""The small nets attacks are compared on: trained on synthetic tasks, written as ONNX beside their samples.

Per net test/fixtures/attacks/nets/NAME.onnx (one symbolic batch, output "logits") and NAME.json: shape, bounds and values of every input (base64 of
little-endian float32, samples first), labels, and PyTorch's logits. Every sample is classified right.
Run: python nets.py; then npx tsx test/oracles/attacks/write-vjp.ts. Made with torch 2.15.0, onnx 1.23.0.
"""

import base64
import json
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OUT = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "attacks" / "nets"
SAMPLES = 24


def prototypes(seed, classes, shape):
    """A pattern per class, of unit standard deviation."""
    drawn = torch.randn(classes, *shape, generator=torch.Generator().manual_seed(seed))
    return drawn / drawn.flatten(1).std(1).reshape(-1, *[1] * len(shape))


def drawn(seed, n, classes, patterns, low):
    """Labels, and per input a pattern in noise; images (low is 0) are squeezed into [0, 1]."""
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=g)
    inputs = {}
    for name, pattern in patterns.items():
        x = 0.3 * pattern[labels] + torch.randn(n, *pattern.shape[1:], generator=g)
        inputs[name] = (0.5 + 0.18 * x).clamp(0, 1) if low[name] == 0 else x
    return labels, inputs


class Writer:
    """An ONNX graph from PyTorch layers, node by node."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def add(self, op, inputs, **attributes):
        output = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def weight(self, tensor):
        name = f"w{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(tensor.detach().numpy(), name))
        return name

    def run(self, layers, value):
        for layer in layers:
            value = self.layer(layer, value)
        return value

    def layer(self, layer, value):
        match layer:
            case nn.Conv2d() | nn.Conv1d():
                weights = [self.weight(layer.weight), self.weight(layer.bias)]
                pads = list(layer.padding) * 2
                return self.add("Conv", [value, *weights], kernel_shape=list(layer.kernel_size), strides=list(layer.stride), pads=pads)
            case nn.Linear():
                return self.add("Gemm", [value, self.weight(layer.weight), self.weight(layer.bias)], transB=1)
            case nn.Tanh():
                return self.add("Tanh", [value])
            case nn.ReLU():
                return self.add("Relu", [value])
            case nn.Flatten():
                return self.add("Flatten", [value], axis=1)
        raise ValueError(layer)

    def save(self, path, name, inputs, classes):
        """Whatever was added last gives the logits."""
        self.nodes[-1].output[0] = "logits"
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shape]) for n, shape in inputs.items()],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8, producer_name="nets.py")
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


class TwoStream(nn.Module):
    """Each stream by itself, then both together."""

    def __init__(self):
        super().__init__()
        self.rgb = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(216, 12), nn.Tanh())
        self.pose = nn.Sequential(nn.Flatten(), nn.Linear(20, 12), nn.Tanh())
        self.head = nn.Linear(24, 4)

    def forward(self, rgb, pose):
        return self.head(torch.cat([self.rgb(rgb), self.pose(pose)], 1))


NETS = {
    "smooth": {
        "make": lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(128, 5)
        ),
        "classes": 5,
        "inputs": {"image": (3, 8, 8)},
        "low": {"image": 0},
    },
    "relu": {
        "make": lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 10)),
        "classes": 10,
        "inputs": {"image": (3, 8, 8)},
        "low": {"image": 0},
    },
    "sequence": {
        "make": lambda: nn.Sequential(
            nn.Conv1d(4, 8, 5, padding=2, stride=2), nn.Tanh(), nn.Conv1d(8, 8, 5, padding=2, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(64, 2)
        ),
        "classes": 2,
        "inputs": {"signal": (4, 32)},
        "low": {"signal": None},
    },
    "two-stream": {
        "make": TwoStream,
        "classes": 4,
        "inputs": {"rgb": (3, 6, 6), "pose": (2, 10)},
        "low": {"rgb": 0, "pose": None},
    },
}


def trained(make, classes, inputs, low):
    torch.manual_seed(7)
    net = make()
    patterns = {name: prototypes(10 + i, classes, shape) for i, (name, shape) in enumerate(inputs.items())}
    adam = torch.optim.Adam(net.parameters(), 3e-3, weight_decay=1e-4)
    for step in range(400):
        labels, batch = drawn(1000 + step, 64, classes, patterns, low)
        loss = nn.functional.cross_entropy(net(*batch.values()), labels, label_smoothing=0.05)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net.eval(), patterns


def chosen(net, classes, patterns, low):
    """The first samples of a long draw that are classified right, labels in turn."""
    labels, inputs = drawn(1, 400, classes, patterns, low)
    with torch.no_grad():
        right = net(*inputs.values()).argmax(1) == labels
    print(f"  accuracy {right.float().mean():.3f}")
    per_class = [[i for i in range(400) if right[i] and labels[i] == c] for c in range(classes)]
    keep = [per_class[k % classes][k // classes] for k in range(SAMPLES)]
    return labels[keep], {name: x[keep] for name, x in inputs.items()}


def write(writer, net, inputs):
    if isinstance(net, TwoStream):
        joined = writer.add("Concat", [writer.run(net.rgb, "rgb"), writer.run(net.pose, "pose")], axis=1)
        writer.layer(net.head, joined)
    else:
        writer.run(net, inputs[0])


def packed(x):
    return base64.b64encode(np.ascontiguousarray(x, dtype="<f4").tobytes()).decode()


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, spec in NETS.items():
        print(name)
        net, patterns = trained(spec["make"], spec["classes"], spec["inputs"], spec["low"])
        labels, inputs = chosen(net, spec["classes"], patterns, spec["low"])
        writer = Writer()
        write(writer, net, list(spec["inputs"]))
        writer.save(OUT / f"{name}.onnx", name, spec["inputs"], spec["classes"])
        with torch.no_grad():
            logits = net(*inputs.values())
        content = {
            "classes": spec["classes"],
            "inputs": {
                n: {"shape": shape, "bounds": "unbounded" if spec["low"][n] is None else [0, 1], "values": packed(inputs[n])}
                for n, shape in spec["inputs"].items()
            },
            "labels": labels.tolist(),
            "logits": packed(logits),
        }
        (OUT / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
