"""Small PyTorch models exported with a fixed batch: python torch_exports.py FOLDER (torch 2.15, onnx 1.23, onnxscript as torch requires it).

Writes NAME-BATCH-OPSET.onnx; opset 18 by the dynamo exporter, lower ones by the TorchScript exporter. Weights are random (seed 0).
"""

import pathlib
import sys

import torch


class Transformer(torch.nn.Module):
    """Two encoder layers over a class token and six steps of 16 features; five classes."""

    def __init__(self):
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.1)
        self.encoder = torch.nn.TransformerEncoder(layer, 2)
        self.token = torch.nn.Parameter(torch.randn(1, 1, 16))
        self.head = torch.nn.Linear(16, 5)

    def forward(self, x):
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        return self.head(self.encoder(x)[:, 0])


class Lstm(torch.nn.Module):
    """Two bidirectional layers over seven steps of six features; four classes."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


folder = pathlib.Path(sys.argv[1])
cases = [
    ("transformer", Transformer, (1, 6, 16), 17),
    ("transformer", Transformer, (1, 6, 16), 18),
    ("transformer", Transformer, (4, 6, 16), 17),
    ("transformer", Transformer, (4, 6, 16), 18),
    ("lstm", Lstm, (1, 7, 6), 11),
    ("lstm", Lstm, (3, 7, 6), 18),
]
for name, Net, shape, opset in cases:
    torch.manual_seed(0)
    net = Net().eval()
    dynamo = opset >= 18
    options = {"dynamo": True, "external_data": False} if dynamo else {"dynamo": False}
    path = folder / f"{name}-{shape[0]}-{opset}.onnx"
    torch.onnx.export(net, (torch.randn(*shape),), path, opset_version=opset, input_names=["x"], **options)
    if dynamo:
        import onnx

        # the exporter writes source paths of the machine it ran on into the metadata
        model = onnx.load(path)
        del model.metadata_props[:]
        for part in [model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
            del part.metadata_props[:]
            part.doc_string = ""
        onnx.save(model, path)
