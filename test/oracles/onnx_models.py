"""Writes test/fixtures/onnx: small models with everything a file may hold. Run: python test/oracles/onnx_models.py (onnx 1.23)"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "onnx"
node = h.make_node


def value(name, dims, element=T.FLOAT):
    return h.make_tensor_value_info(name, element, dims)


def model(graph, domains=(), **more):
    opsets = [h.make_opsetid("", 18), *(h.make_opsetid(d, 1) for d in domains)]
    return h.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="fixtures", producer_version="1", **more)


def save(name, m, check=True):
    if check:
        onnx.checker.check_model(m)
    (FOLDER / f"{name}.onnx").write_bytes(m if isinstance(m, bytes) else m.SerializeToString())


def fields():
    """Numbers in the typed fields instead of raw bytes, texts everywhere."""
    kinds = [
        ("f32", T.FLOAT, [1.5, -2.0]),
        ("f64", T.DOUBLE, [0.1, -0.2]),
        ("f16", T.FLOAT16, [0.5, -4.0]),
        ("i64", T.INT64, [2**63 - 1, -(2**63)]),
        ("u64", T.UINT64, [2**64 - 1, 0]),
        ("i32", T.INT32, [2**31 - 1, -(2**31)]),
        ("u32", T.UINT32, [2**32 - 1, 0]),
        ("i16", T.INT16, [-(2**15), 7]),
        ("u16", T.UINT16, [2**16 - 1, 7]),
        ("i8", T.INT8, [-128, 127]),
        ("u8", T.UINT8, [255, 0]),
        ("bool", T.BOOL, [True, False]),
        ("text", T.STRING, ["anger", "\u00fcbel"]),
    ]
    tensors = [h.make_tensor(name, element, [2], values) for name, element, values in kinds]
    for t in tensors:
        assert not t.raw_data
    tensors[0].doc_string = "two numbers"
    relu = node("Identity", ["f32"], ["f32_copy"], name="first", doc_string="why this node is here")
    nodes = [relu, *(node("Identity", [n], [f"{n}_copy"]) for n, _, _ in kinds[1:])]
    g = h.make_graph(nodes, "fields", [value("x", ["N", 2])], [value(f"{n}_copy", [2], e) for n, e, _ in kinds], tensors, doc_string="about the graph")
    g.node.append(node("LeakyRelu", ["x"], ["y"], alpha=0.1, doc_string="leaks"))
    g.output.append(value("y", ["N", 2]))
    g.input[0].doc_string = "a pair"
    g.input[0].type.denotation = "TENSOR"
    g.value_info.append(value("inner", [2]))
    m = model(g, doc_string="about the model")
    m.domain, m.model_version = "org.example", 7
    h.set_model_props(m, {"classes": "angry,sad", "author": "somebody"})
    save("fields", m)


def unknown():
    """Fields no schema knows, at the end of the model, a node and the graph: 3000 (text) and 3001 (varint)."""
    extra = onnx.ModelProto().SerializeToString() + bytes([0xC2, 0xBB, 0x01, 3]) + b"abc" + bytes([0xC8, 0xBB, 0x01, 42])
    n = node("Relu", ["x"], ["y"]).SerializeToString() + extra
    relu = onnx.NodeProto.FromString(n)
    g = h.make_graph([relu], "unknown", [value("x", [2])], [value("y", [2])])
    g = onnx.GraphProto.FromString(g.SerializeToString() + extra)
    save("unknown", model(g).SerializeToString() + extra, check=False)


def external():
    """Weights beside the model: two in one file at offsets, one inside an attribute."""
    w = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")
    b = numpy_helper.from_array(np.array([1, 2, 3], np.float32), "b")
    c = numpy_helper.from_array(np.array([10.0], np.float32), "c")
    data = bytes(64)
    for t in (w, b, c):
        raw, start = t.raw_data, len(data)
        data += raw + bytes(-len(raw) % 64)
        t.ClearField("raw_data")
        t.data_location = T.EXTERNAL
        for key, text in (("location", "weights/external.bin"), ("offset", str(start)), ("length", str(len(raw)))):
            t.external_data.add(key=key, value=text)
    nodes = [node("Gemm", ["x", "w", "b"], ["z"]), node("Constant", [], ["k"], value=c), node("Add", ["z", "k"], ["y"])]
    save("external", model(h.make_graph(nodes, "external", [value("x", ["N", 2])], [value("y", ["N", 3])], [w, b])), check=False)
    (FOLDER / "external.bin").write_bytes(data)


def functions():
    """A function with a required and a defaulted attribute, called by another one."""
    leaky = node("LeakyRelu", ["a"], ["l"])
    leaky.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    power = node("Constant", [], ["p"])
    power.attribute.add(name="value_float", ref_attr_name="power", type=onnx.AttributeProto.FLOAT)
    f = h.make_function("local", "Bend", ["a"], ["b"], [leaky, power, node("Pow", ["l", "p"], ["b"])], [h.make_opsetid("", 18)], ["slope"], [h.make_attribute("power", 2.0)])
    twice = h.make_function(
        "local",
        "Twice",
        ["a"],
        ["b"],
        [node("Bend", ["a"], ["m"], domain="local", slope=0.5), node("Bend", ["m"], ["b"], domain="local", slope=0.25, power=1.0)],
        [h.make_opsetid("", 18), h.make_opsetid("local", 1)],
    )
    g = h.make_graph([node("Twice", ["x"], ["y"], domain="local")], "functions", [value("x", [4])], [value("y", [4])])
    save("functions", model(g, ["local"], functions=[f, twice]))


def sequence():
    g = h.make_graph(
        [node("SplitToSequence", ["x"], ["parts"], axis=0), node("ConcatFromSequence", ["parts"], ["y"], axis=1)],
        "sequence",
        [value("x", [2, 3])],
        [h.make_tensor_sequence_value_info("parts", T.FLOAT, [1, 3]), value("y", [1, 6])],
    )
    save("sequence", model(g))


def subgraphs():
    """A branch that reads outer values, a loop with a carried and a scan output."""
    then = h.make_graph([node("Add", ["x", "w"], ["t"])], "then", [], [value("t", [2])])
    other = h.make_graph([node("Neg", ["x"], ["e"])], "else", [], [value("e", [2])])
    body = h.make_graph(
        [node("Identity", ["more"], ["go"]), node("Mul", ["state", "w"], ["next"]), node("Identity", ["next"], ["seen"])],
        "body",
        [value("i", [], T.INT64), value("more", [], T.BOOL), value("state", [2])],
        [value("go", [], T.BOOL), value("next", [2]), value("seen", [2])],
    )
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Greater", ["s", "zero"], ["positive"]),
        node("If", ["positive"], ["z"], then_branch=then, else_branch=other),
        node("Loop", ["three", "", "z"], ["y", "trace"], body=body),
    ]
    tensors = [
        numpy_helper.from_array(np.array([2, -1], np.float32), "w"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
        numpy_helper.from_array(np.array(3, np.int64), "three"),
    ]
    save("subgraphs", model(h.make_graph(nodes, "subgraphs", [value("x", [2])], [value("y", [2]), value("trace", [3, 2])], tensors)))


def annotated():
    """What hangs on a graph and a model besides nodes: quantisation, a sparse initializer, training."""
    sparse = onnx.SparseTensorProto(dims=[4])
    sparse.values.CopyFrom(numpy_helper.from_array(np.array([3, 4], np.float32), "sparse"))
    sparse.indices.CopyFrom(numpy_helper.from_array(np.array([0, 2], np.int64), "indices"))
    tensors = [numpy_helper.from_array(np.array(0.1, np.float32), "scale"), numpy_helper.from_array(np.array(0, np.uint8), "zero_point")]
    g = h.make_graph([node("Add", ["x", "sparse"], ["y"])], "annotated", [value("x", [4])], [value("y", [4])], tensors, sparse_initializer=[sparse])
    for name in ("y", "gone"):
        a = g.quantization_annotation.add(tensor_name=name)
        a.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="scale")
        a.quant_parameter_tensor_names.add(key="ZERO_POINT_TENSOR", value="zero_point")
    g.metadata_props.add(key="made", value="by hand")
    m = model(g)
    training = m.training_info.add()
    training.algorithm.CopyFrom(h.make_graph([node("Neg", ["x"], ["step"])], "algorithm", [], [value("step", [4])]))
    save("annotated", m, check=False)


FOLDER.mkdir(parents=True, exist_ok=True)
for make in (fields, unknown, external, functions, sequence, subgraphs, annotated):
    make()
print({p.name: p.stat().st_size for p in sorted(FOLDER.iterdir())})
