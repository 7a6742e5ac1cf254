"""What the export scripts share: a case is a Python model, its neurons, an input; its files are written with every exporter, and what the neurons did is recorded.

The truth comes from the Python model itself: hooks on the neuron modules see the spikes of every step.
"""

import base64
import gzip
import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

warnings.filterwarnings("ignore")
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "spiking" / "exports"
onnxruntime.set_default_logger_severity(4)


class Case:
    """`build` returns the model in eval mode and its neurons, each as a dict: module, threshold, reset, strict, spikes(output) -> a tensor per step. `live`: per neuron the first step that depends on the input, and the one after the last that the logits depend on; by default all do."""

    def __init__(self, name, neuron, build, shape, layout="NC", axis=0, low=0.0, high=1.0, only=None, live=None):
        self.name, self.neuron, self.build, self.shape, self.layout, self.axis = name, neuron, build, shape, layout, axis
        self.low, self.high, self.only, self.live = low, high, only, live


EXPORTERS = {
    "torchscript17": dict(dynamo=False, opset_version=17),
    "torchscript17-dynamic": dict(dynamo=False, opset_version=17, dynamic=True),
    "dynamo18": dict(dynamo=True, opset_version=18),
    "dynamo18-dynamic": dict(dynamo=True, opset_version=18, dynamic=True),
}


def text(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def watch(neurons, run):
    """Runs the model once: per neuron the spikes of every step, in order."""
    seen = [[] for _ in neurons]
    hooks = []
    for i, n in enumerate(neurons):
        take = n.get("spikes", lambda out: [out])
        hooks.append(n["module"].register_forward_hook(lambda _m, _i, out, i=i, take=take: seen[i].extend(s.detach() for s in take(out))))
    out = run()
    for hook in hooks:
        hook.remove()
    return out, seen


def export(case, exporter, path):
    options = dict(EXPORTERS[exporter])
    dynamic = options.pop("dynamic", False)
    torch.manual_seed(7)
    model, _ = case.build()
    x = torch.rand(case.shape)
    if dynamic:
        if options["dynamo"]:
            options["dynamic_shapes"] = ({case.axis: torch.export.Dim("batch", min=1, max=64)},)
            x = torch.rand([s if i != case.axis else 2 for i, s in enumerate(case.shape)])
        else:
            options["dynamic_axes"] = {"x": {case.axis: "batch"}, "logits": {0: "batch"}}
    if options["dynamo"]:
        options |= dict(external_data=False, verbose=False)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), torch.no_grad():
        torch.onnx.export(model, (x,), str(path), input_names=["x"], output_names=["logits"], **options)
    kept = onnx.load(path)
    onnx.checker.check_model(kept)
    for node in kept.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for holder in [*kept.graph.value_info, *kept.graph.input, *kept.graph.output]:
        del holder.metadata_props[:]
    del kept.graph.value_info[:]
    path.write_bytes(gzip.compress(kept.SerializeToString(), 9, mtime=0))


def record(library, version, cases, rows):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for case in cases:
        torch.manual_seed(7)
        model, neurons = case.build()
        samples = 3
        generator = torch.Generator().manual_seed(11)
        shape = [s if i != case.axis else 1 for i, s in enumerate(case.shape)]
        x = [case.low + (case.high - case.low) * torch.rand(shape, generator=generator) for _ in range(samples)]
        counts, logits = [], []
        for sample in x:
            with torch.no_grad():
                torch.manual_seed(7)
                fresh, neurons = case.build()
                out, seen = watch(neurons, lambda: fresh(sample))
            counts.append([[int((s != 0).sum().item()) for s in steps] for steps in seen])
            logits.append(out.flatten().tolist())
        row = {
            "name": case.name,
            "library": library,
            "version": version,
            "neuron": case.neuron,
            "layout": case.layout,
            "input": {"shape": list(case.shape), "axis": case.axis, "low": case.low, "high": case.high},
            "layers": [
                {"steps": len(steps), "units": int(steps[0].numel()), **{k: n[k] for k in ("threshold", "reset", "strict")}, **({} if case.live is None else {"live": case.live[i]})}
                for i, (n, steps) in enumerate(zip(neurons, seen))
            ],
            "samples": [text(s.numpy()) for s in x],
            "counts": counts,
            "logits": logits,
            "exports": {},
        }
        for exporter in EXPORTERS:
            if case.only and exporter not in case.only:
                continue
            file = f"{case.name}-{exporter}.onnx.gz"
            path = FIXTURES / file
            try:
                export(case, exporter, path)
                row["exports"][exporter] = {"file": file}
                session = onnxruntime.InferenceSession(gzip.decompress(path.read_bytes()))
                got = session.run(None, {"x": x[0].numpy()})[0]
                row["exports"][exporter]["difference"] = float(np.abs(got.flatten() - np.array(logits[0])).max())
            except Exception as error:
                if path.exists():
                    path.unlink()
                while error.__cause__ is not None:
                    error = error.__cause__
                first = next((line for line in str(error).splitlines() if line.strip()), "")
                row["exports"][exporter] = {"failed": f"{type(error).__name__}: {first}"[:300]}
            print(case.name, exporter, row["exports"][exporter], path.stat().st_size if path.exists() else "", file=sys.stderr)
        print(case.name, "spikes per layer:", [sum(layer) for layer in counts[0]], file=sys.stderr)
        rows.append(row)


def save(rows, name):
    versions = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
    path = FIXTURES / f"{name}.json"
    path.write_text('{"versions":' + json.dumps(versions) + ',"cases":[\n' + ",\n".join(json.dumps(r) for r in rows) + "\n]}\n")
