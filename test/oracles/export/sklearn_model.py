"""scikit-learn to ONNX in the form docs/export.md asks for. Run: python sklearn_model.py FOLDER (scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2)"""
import json
import pathlib
import sys

import numpy as np
import onnx
from skl2onnx import to_onnx
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
names = np.array(["angry", "happy", "sad"])
features = 12


def fitted(classifier, classes=3):
    """Stands for the user's own pipeline, trained on features and string labels."""
    which = random.integers(0, classes, 300)
    x = (random.normal(size=(300, features)) + which[:, None] * np.linspace(0, 1, features)).astype(np.float32)
    return make_pipeline(StandardScaler(), classifier).fit(x, names[which])


def write(name, model):
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def as_documented(name, trained):
    example = np.zeros((1, features), np.float32)
    plain = {"LinearClassifier", "Scaler", "Normalizer"}
    model = to_onnx(trained, example, options={"zipmap": False}, black_op=plain, target_opset={"": 18, "ai.onnx.ml": 3})
    model = select_model_inputs_outputs(model, "probabilities")
    onnx.helper.set_model_props(model, {"provoke": json.dumps({"classes": list(trained.classes_), "output": {"kind": "probabilities"}})})
    write(name, model)


as_documented("sklearn-logistic", fitted(LogisticRegression()))
as_documented("sklearn-mlp", fitted(MLPClassifier((16,), max_iter=400, random_state=0)))
as_documented("sklearn-two-classes", fitted(LogisticRegression(), 2))

# Traps: what the converter writes when asked for nothing; trees.
example = np.zeros((1, features), np.float32)
write("trap-sklearn-zipmap", to_onnx(fitted(LogisticRegression()), example))
write("trap-sklearn-ml-domain", to_onnx(fitted(LogisticRegression()), example, options={"zipmap": False}))
write("trap-sklearn-forest", to_onnx(fitted(RandomForestClassifier(5, random_state=0)), example, options={"zipmap": False}))
