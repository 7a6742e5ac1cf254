"""Nets as Keras users build them, exported by Keras itself and by tf2onnx: python keras_nets.py [NAME...] (keras 3.15, tensorflow 2.21, tf2onnx 1.17)

Channels last, SAME padding, recurrent layers as LSTM nodes or as loops. Gradients by tf.GradientTape, in float64 over the same weights.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import pathlib  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from keras import layers as L  # noqa: E402

from common import Input, Suite, measured  # noqa: E402

# (exporter, opset, batch)
BOTH = (("keras", 18, "dynamic"), ("tf2onnx", 13, "dynamic"), ("tf2onnx", 15, 1))


@dataclass(frozen=True)
class Net:
    """`make(x)` applies the layers to a keras tensor; `input` is a common.Input."""

    name: str
    make: object
    input: Input
    variants: tuple = BOTH
    more: dict = field(default_factory=dict)


def built(net, floatx):
    """The model in one precision; the same names and seeds give the same layers in the same order."""
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    x = keras.Input(net.input.shape, name=net.input.name, dtype=floatx)
    return keras.Model(x, net.make(x))


def pair(net):
    """The model in float32 and float64 with the same weights; fills of zeros and ones, and batch statistics, are made random."""
    exact, single = built(net, "float64"), built(net, "float32")
    rng = np.random.default_rng(0)
    weights = []
    for v in single.variables:
        value = np.array(v)
        if value.dtype == np.float32 and np.all(value == value.flat[0]):
            positive = value.flat[0] != 0
            value = (0.6 + 0.8 * rng.random(value.shape) if positive else 0.2 * rng.standard_normal(value.shape)).astype(np.float32)
        weights.append(value)
    for model in (single, exact):
        for v, w in zip(model.variables, weights):
            v.assign(w)
    keras.config.set_floatx("float32")
    return {"float32": single, "float64": exact}


def evaluator(models, spec):
    """For common.measured."""

    def evaluate(feeds, cotangent, dtype):
        x = tf.constant(feeds[spec.name].astype(dtype))
        keras.config.set_floatx(dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = models[dtype](x, training=False)
            weighted = y if cotangent is None else tf.reduce_sum(y * tf.constant(cotangent.astype(dtype)))
        gradients = {} if cotangent is None else {spec.name: tape.gradient(weighted, x).numpy().astype(np.float64)}
        keras.config.set_floatx("float32")
        return y.numpy().astype(np.float64), gradients

    return evaluate


def exported(model, spec, exporter, opset, batch):
    """The bytes of the model as an exporter writes it, without what it notes about the machine."""
    model(np.zeros((1, *spec.shape), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        if exporter == "keras":
            model.export(path, format="onnx", verbose=False, opset_version=opset)
        else:
            size = None if batch == "dynamic" else batch
            signature = [tf.TensorSpec([size, *spec.shape], tf.float32, name=spec.name)]
            run = tf.function(lambda x: model(x, training=False), input_signature=signature)
            tf2onnx.convert.from_function(run, input_signature=signature, opset=opset, output_path=path)
        loaded = onnx.load(path)
    for node in loaded.graph.node:
        node.doc_string = ""
    return loaded.SerializeToString()


def perceptron(x):
    y = L.Dense(12, activation="elu")(L.Rescaling(2.0, offset=-0.3)(x))
    return L.Dense(4, activation="softmax")(L.Dropout(0.3)(L.Dense(8, activation="silu")(y)))


def mini_xception(x):
    """The usual net on faces: separable convolutions with residuals, global pooling, softmax (Arriaga et al. 2017)."""
    y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False)(x)))
    short = L.BatchNormalization()(L.Conv2D(6, 1, strides=2, padding="same", use_bias=False)(y))
    y = L.ReLU()(L.BatchNormalization()(L.SeparableConv2D(6, 3, padding="same", use_bias=False)(y)))
    y = L.BatchNormalization()(L.SeparableConv2D(6, 3, padding="same", use_bias=False)(y))
    y = L.Add()([L.MaxPooling2D(3, strides=2, padding="same")(y), short])
    return L.Activation("softmax")(L.GlobalAveragePooling2D()(L.Conv2D(5, 3, padding="same")(y)))


def mobile(x):
    """Depthwise convolution, squeeze and excitation, hard swish by its formula."""
    swish = lambda t: t * keras.ops.relu6(t + 3.0) / 6.0  # noqa: E731
    y = swish(L.BatchNormalization()(L.Conv2D(6, 3, strides=2, padding="same")(x)))
    y = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(5, strides=2, padding="same")(y)))
    gate = L.GlobalAveragePooling2D(keepdims=True)(y)
    gate = L.Conv2D(6, 1, activation="sigmoid")(L.Conv2D(3, 1, activation="relu")(gate))
    y = L.UpSampling2D(2, interpolation="bilinear")(L.Multiply()([y, gate]))
    return L.Dense(4)(L.Flatten()(L.AveragePooling2D(3, strides=2, padding="same")(y)))


def speech_cnn_lstm(x):
    """Blocks of a spectrogram, one CNN for each, a bidirectional LSTM, softmax: the net of the speech papers."""
    y = L.TimeDistributed(L.Conv2D(4, 3, activation="relu"))(x)
    y = L.TimeDistributed(L.BatchNormalization())(y)
    y = L.TimeDistributed(L.MaxPooling2D(2))(y)
    y = L.TimeDistributed(L.Flatten())(y)
    return L.Dense(5, activation="softmax")(L.Bidirectional(L.LSTM(6))(y))


def stacked_lstm(x):
    return L.Dense(4)(L.LSTM(5)(L.LSTM(6, return_sequences=True)(x)))


def bidirectional_gru(x):
    y = L.Bidirectional(L.GRU(5, return_sequences=True))(x)
    return L.Dense(4)(L.GlobalMaxPooling1D()(y))


def simple_rnn(x):
    return L.Dense(3)(L.SimpleRNN(6, unroll=True)(x))


def attention(x):
    """One encoder block."""
    y = L.Dense(8)(x)
    y = L.LayerNormalization()(y + L.MultiHeadAttention(2, 4)(y, y))
    y = L.LayerNormalization()(y + L.Dense(8)(L.Dense(12, activation="silu")(y)))
    return L.Dense(4)(L.GlobalAveragePooling1D()(y))


def additive(x):
    """Bahdanau's attention between two readings of a sequence."""
    a, b = L.LSTM(6, return_sequences=True)(x), L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="tanh")(x)
    return L.Dense(4)(L.GlobalAveragePooling1D()(L.AdditiveAttention()([a, b])))


def conv_lstm(x):
    """Recurrent convolutions over frames."""
    y = L.ConvLSTM2D(3, 3, padding="same")(x)
    return L.Dense(3)(L.Flatten()(L.MaxPooling2D(2)(y)))


def eegnet(x):
    """EEGNet in channels-last form: [electrodes, samples, 1] (Lawhern et al. 2018)."""
    y = L.BatchNormalization()(L.Conv2D(4, (1, 16), padding="same", use_bias=False)(x))
    y = L.BatchNormalization()(L.DepthwiseConv2D((8, 1), depth_multiplier=2, use_bias=False)(y))
    y = L.AveragePooling2D((1, 4))(L.Activation("elu")(y))
    y = L.BatchNormalization()(L.SeparableConv2D(8, (1, 8), padding="same", use_bias=False)(y))
    y = L.AveragePooling2D((1, 4))(L.Activation("elu")(y))
    return L.Activation("softmax")(L.Dense(3)(L.Flatten()(y)))


steps = lambda t, c: Input("steps", (t, c), -2, 2)  # noqa: E731

nets = [
    Net("perceptron", perceptron, Input("features", (10,), -1, 1)),
    Net("mini-xception", mini_xception, Input("face", (14, 14, 1))),
    Net("mobile", mobile, Input("face", (12, 12, 3))),
    Net("eegnet", eegnet, Input("eeg", (8, 64, 1), -2, 2)),
    Net("speech-cnn-lstm", speech_cnn_lstm, Input("blocks", (3, 8, 10, 1), -1, 1)),
    Net("stacked-lstm", stacked_lstm, steps(7, 4)),
    Net("bidirectional-gru", bidirectional_gru, steps(6, 4)),
    Net("simple-rnn", simple_rnn, steps(5, 4)),
    Net("attention", attention, steps(8, 6)),
    Net("additive-attention", additive, steps(7, 4)),
    Net("conv-lstm", conv_lstm, Input("frames", (4, 6, 6, 2))),
]


def main():
    suite = Suite("keras", {"keras": keras.__version__, "tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__, "onnx": onnx.__version__})
    only = sys.argv[1:]
    for net in nets:
        if only and net.name not in only:
            continue
        started = time.time()
        models = pair(net)
        record = measured(net.name, [net.input], evaluator(models, net.input))
        for exporter, opset, batch in net.variants:
            variant = f"{exporter}{opset}-{batch}"
            try:
                data = exported(models["float32"], net.input, exporter, opset, batch)
            except Exception as cause:
                print(f"  {net.name}-{variant}: NOT EXPORTED: {type(cause).__name__}: {str(cause)[:300]}", flush=True)
                continue
            suite.put(record, variant, data, {"exporter": exporter, "opset": opset, "batch": batch})
        suite.keep(record, **net.more)
        print(f"  {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
