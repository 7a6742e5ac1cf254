"""Derivative cases of Fourier transforms, with torch.fft and torch.stft as the truth."""

import numpy as np
import torch
from casefile import CaseFile, Numbers, constant

n = Numbers(24)
f = CaseFile("fourier")


def whole(value):
    return constant(np.array(value, dtype=np.int64))


def to_complex(x):
    return torch.complex(x[..., 0], x[..., 1] if x.shape[-1] == 2 else torch.zeros_like(x[..., 0]))


def dft(name, shape, axis=None, length=None, inverse=0, onesided=0, opset=20, batch=True):
    batch = batch or None
    given = -2 if axis is None else axis
    at = given if given >= 0 else given + len(shape)

    def function(x, *_):
        z = to_complex(x)
        if onesided and inverse:
            return torch.fft.irfft(z, n=length, dim=at).unsqueeze(-1)
        if onesided:
            return torch.view_as_real(torch.fft.rfft(z.real, n=length, dim=at))
        return torch.view_as_real((torch.fft.ifft if inverse else torch.fft.fft)(z, n=length, dim=at))

    attrs = {"inverse": inverse, "onesided": onesided} | ({"axis": given} if opset < 20 else {})
    inputs = [n.normal(*shape), None if length is None else whole(length), whole(axis) if opset >= 20 and axis is not None else None]
    while inputs[-1] is None:
        inputs.pop()
    f.add(name, "DFT", function, inputs, attrs, opset=opset, batch=batch)


for opset in (18, 20):
    dft(f"DFT of real values, opset {opset}", [3, 5, 1], 1, opset=opset)
    dft(f"DFT of complex values, opset {opset}", [3, 6, 2], 1, opset=opset)
    dft(f"DFT onesided, opset {opset}", [3, 7, 1], 1, onesided=1, opset=opset)
    dft(f"DFT inverse, opset {opset}", [3, 6, 2], 1, inverse=1, opset=opset)
    dft(f"DFT longer, opset {opset}", [2, 5, 2], 1, length=8, opset=opset)
    dft(f"DFT shorter, onesided, opset {opset}", [2, 8, 1], 1, length=5, onesided=1, opset=opset)
    dft(f"DFT first of two axes, opset {opset}", [2, 4, 3, 2], 1, opset=opset)
    dft(f"DFT last of two axes, inverse, opset {opset}", [2, 4, 3, 1], 2, inverse=1, opset=opset)
dft("DFT default axis", [2, 3, 4, 2])
dft("DFT negative axis, onesided", [2, 6, 3, 1], -3, onesided=1)
dft("DFT to real, even", [2, 4, 2], inverse=1, onesided=1)
dft("DFT to real, odd", [2, 4, 2], length=7, inverse=1, onesided=1)
dft("DFT of 2048 values, onesided", [1, 2048, 1], onesided=1, batch=False)
dft("DFT of 1024 complex values", [1, 1000, 2], length=1024, batch=False)
dft("DFT of 1025 complex values to 2048 real ones", [1, 1025, 2], inverse=1, onesided=1, batch=False)


def stft(name, signal, step, window=None, length=None, onesided=None, batch=True, fixed=True):
    """window: its length, or None; length: given as an input too."""
    size = length or window or signal[1]

    def function(x, _, w=None, __=None):
        z = to_complex(x) if x.shape[-1] == 2 else x[..., 0]
        frames = z.unfold(1, size, step)
        if w is not None:
            frames = frames * w
        spectrum = torch.fft.rfft(frames) if onesided in (None, 1) else torch.fft.fft(frames)
        return torch.view_as_real(spectrum)

    w = None if window is None else np.hanning(window + 1)[:-1] + 0.1
    inputs = [n.normal(*signal), whole(step), None if w is None else (constant(w) if fixed else w), None if length is None else whole(length)]
    while inputs[-1] is None:
        inputs.pop()
    attrs = {} if onesided is None else {"onesided": onesided}
    f.add(name, "STFT", function, inputs, attrs, batch=batch)


stft("STFT", [2, 20, 1], 3, 8)
stft("STFT, window and length", [2, 20, 1], 4, 8, 8)
stft("STFT, length only", [2, 20, 1], 5, None, 7)
stft("STFT full", [2, 21, 1], 2, 6, onesided=0)
stft("STFT of complex values", [2, 18, 2], 4, None, 8, onesided=0)
stft("STFT, gaps between frames", [2, 23, 1], 7, 5)
stft("STFT, step 1", [1, 72, 1], 1, 64)
stft("STFT, computed window", [2, 20, 1], 3, 8, fixed=False)
stft("STFT, half overlapping", [1, 320, 1], 32, 64)

f.write()
