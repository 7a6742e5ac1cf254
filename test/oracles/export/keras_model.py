"""Keras 3 to ONNX in the form docs/export.md asks for. Run: python keras_model.py FOLDER (keras 3.15.1 with the torch backend, torch 2.15.0, onnxscript 0.7.2)"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "torch"
import keras
from keras import layers

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(0)

# Stands for the user's own model: 7 classes, trained on 24 x 24 x 3 in -1..1, ends in a softmax.
trained = keras.Sequential(
    [
        keras.Input((24, 24, 3)),
        layers.Conv2D(8, 3, strides=2, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, padding="same", activation="gelu"),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(7, activation="softmax"),
    ]
)

image = keras.Input((24, 24, 3), name="image")
model = keras.Model(image, trained(layers.Rescaling(2.0, offset=-1.0)(image)))
model(keras.ops.zeros((1, 24, 24, 3)))
model.export(folder / "keras.onnx", format="onnx", verbose=False)

# Trap: a signature with a number for the batch goes through the other exporter and fixes it.
model.export(folder / "trap-keras-batch1.onnx", format="onnx", verbose=False, input_signature=[keras.InputSpec(shape=(1, 24, 24, 3), dtype="float32", name="image")])
