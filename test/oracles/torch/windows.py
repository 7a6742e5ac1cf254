"""ONNX's way of writing windows, in PyTorch's."""


def torch_pads(pads):
    """ONNX pads (all starts, all ends) in the order of torch.nn.functional.pad."""
    rank = len(pads) // 2
    return [p for axis in reversed(range(rank)) for p in (pads[axis], pads[axis + rank])]
