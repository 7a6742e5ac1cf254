"""What two peers do with one smooth network: the gradients they saw and the images they returned.

Writes test/fixtures/attacks/model.onnx and test/fixtures/attacks/peers.json. Versions: torch 2.15, foolbox 3.3.4, torchattacks 3.5.1, onnx 1.23.
Arrays are little-endian float32 in base64. No peer starts at random, so nothing but the weights and images depends on the seed.
"""

import base64
import json
import pathlib

import foolbox
import onnx
import torch
import torchattacks
from onnx import TensorProto, helper, numpy_helper

out = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "attacks"
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(20)
torch.set_num_threads(1)


class Net(torch.nn.Module):
    """tanh, stride 2, tanh, linear; remembers the gradient at its input whenever there is one."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 6, 3, padding=1)
        self.second = torch.nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.last = torch.nn.Linear(8 * 4 * 4, 5)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(1.7)
        self.seen = []

    def forward(self, x):
        if x.requires_grad:
            x = x.clone()
            x.register_hook(lambda gradient: self.seen.append(gradient.detach().clone()))
        x = torch.tanh(self.first(x))
        x = torch.tanh(self.second(x))
        return self.last(x.flatten(1))


net = Net().eval()


def base(tensor):
    return base64.b64encode(tensor.detach().numpy().astype("<f4").tobytes()).decode()


def export():
    weights = {name: parameter.detach().numpy() for name, parameter in net.named_parameters()}
    nodes = [
        helper.make_node("Conv", ["image", "first.weight", "first.bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second.weight", "second.bias"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Tanh", ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "last.weight", "last.bias"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "smooth",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, out / "model.onnx")


images = torch.rand(4, 3, 8, 8)
images[1] = (images[1] > 0.5).float()  # all at the bounds
images[2] = images[2].clamp(0.02, 0.98).mul(255).round().div(255)
labels = net(images).argmax(1)


def record(peer, attack, options, run):
    net.seen.clear()
    final = run()
    return {
        "peer": peer,
        "attack": attack,
        **options,
        "gradients": [base(gradient) for gradient in net.seen],
        "final": base(final),
        "predictions": net(final).argmax(1).tolist(),
    }


def by_foolbox(attack, eps):
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    return lambda: attack(model, images, labels, epsilons=eps)[1]


def by_torchattacks(attack):
    attack.set_device("cpu")
    return lambda: attack(images, labels)


linf = {"norm": "linf", "eps": 16 / 255, "alpha": 4 / 255, "steps": 10}
l2 = {"norm": "l2", "eps": 1.0, "alpha": 0.25, "steps": 10}
one = {"norm": "linf", "eps": 16 / 255, "alpha": 16 / 255, "steps": 1}
eps, alpha, steps = linf["eps"], linf["alpha"], linf["steps"]
fb, ta = foolbox.attacks, torchattacks

cases = [
    record("torchattacks", "fgsm", one, by_torchattacks(ta.FGSM(net, eps=eps))),
    record("torchattacks", "bim", linf, by_torchattacks(ta.BIM(net, eps=eps, alpha=alpha, steps=steps))),
    record("torchattacks", "pgd", linf, by_torchattacks(ta.PGD(net, eps=eps, alpha=alpha, steps=steps, random_start=False))),
    record("torchattacks", "pgd", l2, by_torchattacks(ta.PGDL2(net, eps=1.0, alpha=0.25, steps=10, random_start=False))),
    record("torchattacks", "mifgsm", linf, by_torchattacks(ta.MIFGSM(net, eps=eps, alpha=alpha, steps=steps, decay=1.0))),
    record("foolbox", "fgsm", one, by_foolbox(fb.LinfFastGradientAttack(), eps)),
    record("foolbox", "pgd", linf, by_foolbox(fb.LinfPGD(abs_stepsize=alpha, steps=steps, random_start=False), eps)),
    record("foolbox", "pgd", l2, by_foolbox(fb.L2PGD(abs_stepsize=0.25, steps=10, random_start=False), 1.0)),
]

export()
document = {
    "versions": {"torch": torch.__version__.split("+")[0], "foolbox": foolbox.__version__, "torchattacks": torchattacks.__version__},
    "shape": [4, 3, 8, 8],
    "images": base(images),
    "labels": labels.tolist(),
    "logits": base(net(images)),
    "cases": cases,
}
(out / "peers.json").write_text(json.dumps(document) + "\n")
for case in cases:
    print(case["peer"], case["attack"], case["norm"], len(case["gradients"]), labels.tolist(), case["predictions"])
