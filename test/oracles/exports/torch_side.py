"""PyTorch's side of the suites of real exports: seeded weights, gradients in float64 and float32, both exporters.

    from torch_side import Net, main;  main("vision", [Net(...), ...])        python vision.py [NAME...]
"""

import copy
import io
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from common import Suite, batch_of, measured

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

# (exporter, opset, batch): 'dynamic' leaves the batch open
DEFAULT = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 13, "dynamic"), ("torchscript", 17, 1))


@dataclass(frozen=True)
class Net:
    """`make()` builds the module, in library code; `inputs` are common.Input; `variants` as DEFAULT; `more` goes into the index (manifest, unit ...)."""

    name: str
    make: object
    inputs: list
    variants: tuple = DEFAULT
    more: dict = field(default_factory=dict)
    # weights on a grid of 16 levels per tensor: files pack to a quarter; False where an initialisation must stay exact
    grid: bool = True


def tensors(feeds, dtype):
    return [torch.from_numpy(np.ascontiguousarray(v)).to(dtype) if v.dtype.kind == "f" else torch.from_numpy(v) for v in feeds.values()]


def seeded(net):
    """The module in eval mode with weights that hide nothing: no zero or one fills, batch statistics of real activations, each shifted at random."""
    torch.manual_seed(0)
    module = net.make()
    with torch.no_grad():
        for p in module.parameters():
            flat = p.reshape(-1)
            if flat.numel() > 1 and bool((flat == flat[0]).all()):
                p.copy_(0.1 * torch.randn_like(p) if float(flat[0]) == 0 else 0.5 + torch.rand_like(p))
            elif net.grid and p.dim() >= 2 and p.numel() >= 256:
                step = 2.0 ** float(torch.floor(torch.log2(p.abs().max() / 5)))
                p.copy_((torch.round(p / step - 0.5) + 0.5).clamp(-7.5, 7.5) * step)
        norms = [m for m in module.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
        module.eval()
        if norms:
            for m in norms:
                m.train()
                m.momentum = 1.0
            module(*tensors(batch_of(net.inputs, range(1001, 1009)), torch.float32))
            module.eval()
            for m in norms:
                m.running_mean += 0.2 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
                m.running_var *= 0.7 + 0.6 * torch.rand_like(m.running_var)
    return module


def evaluator(module, inputs):
    """For common.measured: gradients by PyTorch, of the first output weighted by the cotangent."""
    modules = {"float32": module, "float64": copy.deepcopy(module).double()}

    def evaluate(feeds, cotangent, dtype):
        kind = getattr(torch, dtype)
        given = tensors(feeds, kind)
        floats = [t.requires_grad_(True) for t in given if t.is_floating_point()]
        result = modules[dtype](*given)
        result = result[0] if isinstance(result, (tuple, list)) else result
        gradients = {}
        if cotangent is not None:
            weighted = (result * torch.from_numpy(cotangent).to(kind)).sum()
            found = torch.autograd.grad(weighted, floats)
            names = [n for n, t in zip(feeds, given) if t.is_floating_point()]
            gradients = {n: g.double().numpy() for n, g in zip(names, found)}
        return result.detach().double().numpy(), gradients

    return evaluate


def without_paths(data):
    """The file without what the exporter notes about the machine it ran on: stack traces and source paths."""
    model = onnx.load_model_from_string(data)
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        del graph.metadata_props[:]
        for part in [*graph.node, *graph.value_info, *graph.input, *graph.output]:
            del part.metadata_props[:]
            part.doc_string = ""
        graphs += [a.g for n in graph.node for a in n.attribute if a.type == onnx.AttributeProto.GRAPH]
    for function in model.functions:
        del function.metadata_props[:]
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""
    del model.metadata_props[:]
    return model.SerializeToString()


def exported(module, inputs, exporter, opset, batch):
    """The bytes of the model as an exporter writes it; batch: 'dynamic' (traced with 2 samples) or the number that is fixed."""
    count = 2 if batch == "dynamic" else batch
    given = tuple(tensors(batch_of(inputs, range(2001, 2001 + count)), torch.float32))
    names = {"input_names": [s.name for s in inputs], "output_names": ["logits"]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        if exporter == "dynamo":
            shapes = {"dynamic_shapes": tuple({s.axis: torch.export.Dim("batch")} for s in inputs)} if batch == "dynamic" else {}
            torch.onnx.export(module, given, path, opset_version=opset, dynamo=True, external_data=False, verbose=False, **names, **shapes)
        else:
            axes = {s.name: {s.axis: "batch"} for s in inputs} | {"logits": {0: "batch"}}
            dynamic = {"dynamic_axes": axes} if batch == "dynamic" else {}
            torch.onnx.export(module, given, path, opset_version=opset, dynamo=False, **names, **dynamic)
        return without_paths(path.read_bytes())


def agrees(data, inputs, seeds, outputs, batch):
    """Whether onnxruntime computes from the file what PyTorch computes: a file that an exporter got wrong proves nothing."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    size = len(seeds) if batch == "dynamic" else batch
    for start in range(0, len(seeds) - size + 1, size):
        got = session.run(None, batch_of(inputs, seeds[start : start + size]))[0]
        want = outputs[start : start + size]
        if np.abs(got - want).max() > 2e-5 * np.abs(outputs).max():
            return f"onnxruntime differs by {np.abs(got - want).max() / np.abs(outputs).max():.1e}"
    return None


def main(suite_name, nets, extra_versions=None):
    versions = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, **(extra_versions or {})}
    suite = Suite(suite_name, versions)
    only = sys.argv[1:]
    failed = []
    for net in nets:
        if only and net.name not in only:
            continue
        started = time.time()
        try:
            module = seeded(net)
            evaluate = evaluator(module, net.inputs)
            record = measured(net.name, net.inputs, evaluate)
        except Exception as cause:
            failed.append(net.name)
            print(f"{net.name}: NOT MADE: {type(cause).__name__}: {cause}", flush=True)
            continue
        outputs, _ = evaluate(batch_of(net.inputs, record.record["seeds"]), None, "float64")
        for exporter, opset, batch in net.variants:
            variant = f"{exporter}{opset}-{batch}"
            log = io.StringIO()
            try:
                stdout, sys.stdout = sys.stdout, log
                try:
                    # going through training mode, modules forget what they kept from the forward passes
                    data = exported(copy.deepcopy(module.train().eval()), net.inputs, exporter, opset, batch)
                finally:
                    sys.stdout = stdout
                wrong = agrees(data, net.inputs, record.record["seeds"], outputs, batch)
            except Exception as cause:
                wrong = f"{type(cause).__name__}: {str(cause).strip().splitlines()[0][:300] if str(cause).strip() else ''}"
            if wrong is not None:
                print(f"  {net.name}-{variant}: NOT EXPORTED: {wrong}", flush=True)
                continue
            suite.put(record, variant, data, {"exporter": exporter, "opset": opset, "batch": batch})
        suite.keep(record, **net.more)
        print(f"  {time.time() - started:.0f} s", flush=True)
    if failed:
        raise SystemExit(f"not made: {', '.join(failed)}")
