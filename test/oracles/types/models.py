"""Tiny nets in other element types, as exporters and quantisers write them. Run: python models.py FOLDER
(torch 2.15.0, onnxscript 0.7.2, onnx 1.23.2, onnxruntime 1.31.1, onnxconverter-common 1.16.0)"""
import logging
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnxconverter_common import float16
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch import nn

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
logging.disable(logging.WARNING)
torch.manual_seed(1)
numpy = np.random.default_rng(1)


class Faces(nn.Module):
    """Convolutions, a shortcut, a pool and a classifier: 8 x 8 RGB to 4 classes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.last = nn.Linear(6 * 4 * 4, 4)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.4)

    def forward(self, image):
        a = torch.relu(self.first(image))
        b = torch.relu(self.second(a) + a)
        return self.last(torch.nn.functional.max_pool2d(b, 2).flatten(1))


class Signals(nn.Module):
    """Layer normalisation, smooth activations and matrix products: 6 x 5 to 3 classes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 12)
        self.norm = nn.LayerNorm(12)
        self.last = nn.Linear(12, 3)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.5)

    def forward(self, x):
        return self.last(torch.tanh(self.norm(self.first(x))).mean(1))


class DoubleInside(nn.Module):
    """float32 outside, float64 inside."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(torch.sigmoid(x).double()).float()


def export(net, example, name, input_name, dynamo=True):
    names = {"input_names": [input_name], "output_names": ["logits"]}
    if dynamo:
        torch.onnx.export(net.eval(), (example,), folder / name, external_data=False, verbose=False, dynamic_shapes=({0: torch.export.Dim("batch")},), **names)
    else:
        torch.onnx.export(net.eval(), (example,), folder / name, dynamo=False, dynamic_axes={input_name: {0: "batch"}, "logits": {0: "batch"}}, **names)


faces, signals = Faces(), Signals()
image, signal = torch.rand(2, 3, 8, 8), torch.randn(2, 6, 5)
export(faces, image, "faces.onnx", "image")
export(signals, signal, "signals.onnx", "signal")

# half precision: exported as such by both exporters, and converted afterwards
plain = onnx.load(folder / "faces.onnx")
onnx.save(float16.convert_float_to_float16(plain, keep_io_types=False), folder / "half-converted.onnx")
plain = onnx.load(folder / "faces.onnx")
onnx.save(float16.convert_float_to_float16(plain, keep_io_types=True), folder / "half-converted-float-io.onnx")
half = Faces()
half.load_state_dict(faces.state_dict())
export(half.half(), image.half(), "half-dynamo.onnx", "image")
export(half, image.half(), "half-torchscript.onnx", "image", dynamo=False)

# double precision: all of it, inside only, and with a convolution, for which the runtime has no kernel
double = Signals()
double.load_state_dict(signals.state_dict())
export(double.double(), signal.double(), "double-dynamo.onnx", "signal")
export(double, signal.double(), "double-torchscript.onnx", "signal", dynamo=False)
export(DoubleInside(double), signal, "double-inside.onnx", "signal")
double_faces = Faces()
double_faces.load_state_dict(faces.state_dict())
export(double_faces.double(), image.double(), "double-faces.onnx", "image")


class Calibration(CalibrationDataReader):
    def __init__(self, name, shape, normal):
        draw = numpy.normal if normal else numpy.random
        self.batches = iter([{name: draw(size=(2, *shape)).astype(np.float32)} for _ in range(8)])

    def get_next(self):
        return next(self.batches, None)


def static(source, name, **options):
    reader = Calibration("image", (3, 8, 8), False) if source == "faces" else Calibration("signal", (6, 5), True)
    quantize_static(folder / f"{source}.onnx", folder / name, reader, **options)


qdq, operators = QuantFormat.QDQ, QuantFormat.QOperator
static("faces", "qdq-faces.onnx", quant_format=qdq, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
static("faces", "qdq-faces-signed.onnx", quant_format=qdq, activation_type=QuantType.QInt8, weight_type=QuantType.QInt8)
static("faces", "qdq-faces-int16.onnx", quant_format=qdq, activation_type=QuantType.QInt16, weight_type=QuantType.QInt8)
static("signals", "qdq-signals.onnx", quant_format=qdq, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
static("faces", "operators-faces.onnx", quant_format=operators, activation_type=QuantType.QUInt8, weight_type=QuantType.QUInt8)
static("signals", "operators-signals.onnx", quant_format=operators, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
for source, kind in {"signals": QuantType.QInt8, "faces": QuantType.QUInt8}.items():
    plain = onnx.load(folder / f"{source}.onnx")
    # the quantiser transposes a weight and is then refused for the shape the file stated before
    plain.graph.ClearField("value_info")
    quantize_dynamic(plain, folder / f"dynamic-{source}.onnx", weight_type=kind)

# the repository keeps no paths of the machine that exported
for path in folder.glob("*.onnx"):
    written = onnx.load(path)
    for node in written.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in [*written.graph.value_info, *written.graph.input, *written.graph.output, *written.graph.initializer]:
        value.ClearField("metadata_props")
    written.ClearField("metadata_props")
    written.graph.ClearField("metadata_props")
    onnx.save(written, path)
