"""Lists the default-domain ops of ONNX 1.12 (opset 17) whose schema tags at least one input or output as differentiable.

Versions used: onnx 1.23 (its schemas keep every earlier version).
"""

import json
from pathlib import Path

import onnx
from onnx import defs

OPSET = 17
TARGET = Path(__file__).resolve().parents[1] / "fixtures" / "onnx" / "differentiable-ops.json"
Category = defs.OpSchema.DifferentiationCategory

current = {}
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= OPSET:
        known = current.get(schema.name)
        if known is None or known.since_version < schema.since_version:
            current[schema.name] = schema

tagged = sorted(
    name for name, s in current.items() if any(p.differentiation_category == Category.Differentiable for p in [*s.inputs, *s.outputs])
)
TARGET.parent.mkdir(parents=True, exist_ok=True)
TARGET.write_text(json.dumps({"onnx": onnx.__version__, "opset": OPSET, "ops": len(current), "tagged": tagged}, indent=1) + "\n")
print(f"{len(tagged)} of {len(current)} ops are tagged")
