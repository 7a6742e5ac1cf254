"""PyTorch to ONNX in the form docs/export.md asks for, by both exporters. Run: python pytorch_model.py FOLDER (torch 2.15.0, onnxscript 0.7.2, onnx 1.23.2)"""
import pathlib
import sys

import onnx
import torch
from torch import nn

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)

# Stands for the user's own model: 7 classes, trained on 24 x 24 RGB that the data loader normalised.
trained = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2, padding=1),
    nn.BatchNorm2d(8),
    nn.GELU(),
    nn.Conv2d(8, 12, 3, stride=2, padding=1),
    nn.SiLU(),
    nn.Flatten(),
    nn.Dropout(0.5),
    nn.Linear(12 * 6 * 6, 7),
)


class WithPreprocessing(nn.Module):
    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, image):
        return self.net((image - self.mean) / self.std)


model = WithPreprocessing(trained, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).eval()
image = torch.rand(2, 3, 24, 24)
names = {"input_names": ["image"], "output_names": ["logits"]}
dynamic = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), **names}
torch.onnx.export(model, (image,), folder / "pytorch-dynamo.onnx", external_data=False, **dynamic)

# The older exporter, deprecated: it traces, and calls the same thing dynamic_axes.
torch.onnx.export(model, (image,), folder / "pytorch-torchscript.onnx", dynamo=False, dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, **names)

# Traps: no dynamic batch; weights in a second file; training mode; softmax at the end; half precision.
one = image[:1]
torch.onnx.export(model, (one,), folder / "pytorch-dynamo-batch1.onnx", external_data=False, **names)
torch.onnx.export(model, (one,), folder / "pytorch-torchscript-batch1.onnx", dynamo=False, **names)
torch.onnx.export(model, (image,), folder / "trap-external.onnx", external_data=True, **dynamic)
torch.onnx.export(nn.Sequential(model, nn.Softmax(1)).eval(), (image,), folder / "trap-softmax.onnx", external_data=False, **dynamic)
torch.onnx.export(nn.Sequential(model, nn.LogSoftmax(1)).eval(), (image,), folder / "trap-logsoftmax.onnx", external_data=False, **dynamic)
half = WithPreprocessing(trained, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).eval().half()
torch.onnx.export(half, (image.half(),), folder / "trap-half.onnx", external_data=False, **dynamic)
model.float().train()
torch.onnx.export(model, (image,), folder / "trap-train-dynamo.onnx", external_data=False, **dynamic)
torch.onnx.export(
    model, (image,), folder / "trap-train-torchscript.onnx", dynamo=False, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
    dynamic_axes={"image": {0: "batch"}}, **names,
)

# The exporter notes for every node the Python stack it came from, paths of the machine included: the repository keeps the files without.
for path in folder.glob("*.onnx"):
    written = onnx.load(path, load_external_data=False)
    for node in written.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    onnx.save(written, path)
