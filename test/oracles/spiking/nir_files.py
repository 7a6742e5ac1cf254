"""Small NIR files, and what the networks in them do.

Writes test/fixtures/nir/*.nir and cases.json: for every file the input spikes, the spikes every neuron node fires in every step, and the mean output, by an
explicit Euler loop in float64 written here from the equations of the nir package; for files that snnTorch, SpikingJelly and Norse export, the output of the
library's own network beside it. Inputs are drawn so that no potential comes closer than 1e-3 to its threshold (networks of random weights; integer ones of
SpikingJelly: 1e-3 as well), so that float32 fires the same spikes.

Versions: nir 1.0.8, nirtorch 2.6, h5py 3.16.0, numpy 2.4.6, torch 2.15.0, snntorch 1.0.0, norse 1.1.0, spikingjelly 0.0.0.1.0 (see cases.json).
Run from the root of the repository: python test/oracles/spiking/nir_files.py
"""
import importlib.metadata
import json
import pathlib
import warnings

import nir
import numpy as np
import torch

warnings.filterwarnings("ignore")
OUT = pathlib.Path("test/fixtures/nir")
rng = np.random.default_rng(7)


# ---- the network step by step -------------------------------------------------------------------------------------------------------------------------

def pairs(value, axes):
    value = np.atleast_1d(np.asarray(value))
    return [int(v) for v in (value if value.size == axes else np.repeat(value, axes))]


def convolve(x, w, bias, stride, pads, dilation, groups):
    """x [C, *sizes], w [O, C / groups, *kernel], zeros added at both ends."""
    axes = w.ndim - 2
    x = np.pad(x, [(0, 0), *pads])
    kernel = w.shape[2:]
    sizes = [(x.shape[i + 1] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(axes)]
    out = np.zeros((w.shape[0], *sizes))
    per_in, per_out = w.shape[1], w.shape[0] // groups
    for o in range(w.shape[0]):
        group = o // per_out
        for at in np.ndindex(*sizes):
            for c in range(per_in):
                for k in np.ndindex(*kernel):
                    place = tuple(at[i] * stride[i] + k[i] * dilation[i] for i in range(axes))
                    out[(o, *at)] += w[(o, c, *k)] * x[(group * per_in + c, *place)]
    if bias is not None:
        out += np.asarray(bias, dtype=np.float64).reshape(-1, *[1] * axes)
    return out


class Machine:
    """A flat graph; edges that close a cycle bring the value of the step before."""

    def __init__(self, graph, dt, reset):
        self.dt, self.reset = dt, reset
        self.nodes, self.edges = {}, []
        self.flatten(graph, "")
        self.edges = list(dict.fromkeys(self.edges))
        self.state, self.last, self.spikes, self.margin = {}, {}, {}, np.inf
        self.order = self.sorted()
        self.t = 0

    def flatten(self, graph, prefix):
        inner = {}
        for name, node in graph.nodes.items():
            if isinstance(node, nir.NIRGraph):
                self.flatten(node, f"{prefix}{name}.")
                door = lambda kind: next(f"{prefix}{name}.{k}" for k, n in node.nodes.items() if isinstance(n, kind))
                inner[f"{prefix}{name}"] = (door(nir.Input), door(nir.Output))
            else:
                self.nodes[f"{prefix}{name}"] = node
        for a, b in graph.edges:
            a, b = f"{prefix}{a}", f"{prefix}{b}"
            self.edges.append((inner[a][1] if a in inner else a, inner[b][0] if b in inner else b))

    def sorted(self):
        """Neurons' outgoing edges within a cycle may be late: here the order is found by hand, from the inputs on, depth first."""
        done, open_, order = set(), set(), []
        self.late = set()

        def visit(name):
            open_.add(name)
            for a, b in self.edges:
                if a != name:
                    continue
                if b in open_:
                    self.late.add((a, b))
                elif b not in done:
                    visit(b)
            open_.discard(name)
            done.add(name)
            order.insert(0, name)

        for name, node in self.nodes.items():
            if isinstance(node, nir.Input) and name not in done:
                visit(name)
        return order

    def step(self, x):
        now = {}
        for name in self.order:
            node = self.nodes[name]
            given = [now[a] if (a, b) not in self.late else self.before(a) for a, b in self.edges if b == name]
            given = [v for v in given if v is not None]
            value = x if isinstance(node, nir.Input) and not given else sum(given[1:], given[0]) if given else None
            now[name] = self.act(name, node, value)
        self.last = now
        self.t += 1
        return now

    def before(self, name):
        """What a node gave a step ago; before the first step neurons are silent, and an affine map of silence is its bias."""
        if self.t > 0:
            return self.last[name]
        node = self.nodes[name]
        if isinstance(node, nir.Affine):
            return np.asarray(node.bias, dtype=np.float64)
        return None

    def act(self, name, node, x):
        if isinstance(node, (nir.Input, nir.Output)):
            return x
        if isinstance(node, nir.Affine):
            return np.asarray(node.weight, np.float64) @ x + np.asarray(node.bias, np.float64)
        if isinstance(node, nir.Linear):
            return np.asarray(node.weight, np.float64) @ x
        if isinstance(node, (nir.Conv1d, nir.Conv2d)):
            w = np.asarray(node.weight, np.float64)
            axes = w.ndim - 2
            dilation = pairs(node.dilation, axes)
            if isinstance(node.padding, str):
                reach = [(k - 1) * d if node.padding == "same" else 0 for k, d in zip(w.shape[2:], dilation)]
                pads = [(r // 2, r - r // 2) for r in reach]
            else:
                pads = [(p, p) for p in pairs(node.padding, axes)]
            return convolve(x, w, node.bias, pairs(node.stride, axes), pads, dilation, int(node.groups))
        if isinstance(node, (nir.SumPool2d, nir.AvgPool2d)):
            kernel = pairs(node.kernel_size, 2)
            w = np.ones((x.shape[0], 1, *kernel))
            total = convolve(x, w, None, pairs(node.stride, 2), [(p, p) for p in pairs(node.padding, 2)], [1, 1], x.shape[0])
            return total if isinstance(node, nir.SumPool2d) else total / np.prod(kernel)
        if isinstance(node, nir.Flatten):
            start, end = int(node.start_dim) % x.ndim, int(node.end_dim) % x.ndim
            return x.reshape(*x.shape[:start], -1, *x.shape[end + 1:])
        if isinstance(node, nir.Scale):
            return x * node.scale
        if isinstance(node, nir.Threshold):
            self.margin = min(self.margin, np.abs(x - node.threshold).min())
            return (x > node.threshold).astype(np.float64)
        if isinstance(node, nir.Delay):
            past = self.state.setdefault(name, [])
            past.append(x)
            lag = np.rint(np.broadcast_to(node.delay, x.shape) / self.dt).astype(int)
            stacked = np.stack(past)
            picked = np.zeros_like(x)
            for at in np.ndindex(*x.shape):
                if lag[at] <= self.t:
                    picked[at] = stacked[(self.t - lag[at], *at)]
            return picked
        return self.neuron(name, node, x)

    def neuron(self, name, node, x):
        dt = self.dt
        at_rest = getattr(node, "v_leak", getattr(node, "v_reset", 0.0))
        i, v, due = self.state.get(name, (np.zeros_like(x), np.broadcast_to(np.asarray(at_rest, np.float64), x.shape), 0.0))
        if isinstance(node, (nir.CubaLI, nir.CubaLIF)):
            i = i + dt / node.tau_syn * (-i + node.w_in * x)
            v = v + dt / node.tau_mem * ((node.v_leak - v) + node.r * i)
        elif isinstance(node, (nir.I, nir.IF)):
            v = v + dt * node.r * x
        else:
            v = v + dt / node.tau * ((node.v_leak - v) + node.r * x)
        v = v - due
        if not hasattr(node, "v_threshold"):
            self.state[name] = (i, v, 0.0)
            return v
        self.margin = min(self.margin, np.abs(v - node.v_threshold).min())
        s = (v > node.v_threshold).astype(np.float64)
        due = s * node.v_threshold if self.reset == "subtract-late" else 0.0
        if self.reset == "subtract":
            v = v - s * node.v_threshold
        elif self.reset == "zero":
            v = np.where(s == 1, node.v_reset, v)
        self.state[name] = (i, v, due)
        self.spikes.setdefault(name, []).append(s)
        return s


def simulate(graph, clip, dt, reset):
    machine = Machine(graph, dt, reset)
    total = sum(machine.step(frame)[next(n for n, k in machine.nodes.items() if isinstance(k, nir.Output) and "." not in n)] for frame in clip)
    return total / len(clip), {k: np.stack(v) for k, v in machine.spikes.items()}, machine.margin


# ---- the networks -------------------------------------------------------------------------------------------------------------------------------------

def normal(*shape, scale=1.0):
    return (scale * rng.normal(size=shape)).astype(np.float32)


def between(low, high, *shape):
    return rng.uniform(low, high, size=shape)


def dense():
    n = 8
    return nir.NIRGraph({
        "input": nir.Input(np.array([6])),
        "fc1": nir.Affine(normal(n, 6, scale=1.2), normal(n, scale=0.3)),
        "lif1": nir.LIF(tau=between(2e-4, 1e-3, n), r=between(1, 4, n), v_leak=between(-0.1, 0.2, n), v_threshold=between(0.4, 1, n), v_reset=between(-0.3, 0.1, n)),
        "fc2": nir.Linear(normal(3, n)),
        "li": nir.LI(tau=between(4e-4, 8e-4, 3), r=np.ones(3), v_leak=np.zeros(3)),
        "output": nir.Output(np.array([3])),
    }, [("input", "fc1"), ("fc1", "lif1"), ("lif1", "fc2"), ("fc2", "li"), ("li", "output"), ("fc1", "lif1")], type_check=False)


def pictures():
    return nir.NIRGraph({
        "input": nir.Input(np.array([2, 8, 8])),
        "conv1": nir.Conv2d((8, 8), normal(4, 1, 3, 3), 1, "same", 1, 2, normal(4, scale=0.2)),
        "if1": nir.IF(r=np.full((4, 8, 8), 1e4), v_threshold=np.full((4, 8, 8), 1.3)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "conv2": nir.Conv2d((4, 4), normal(5, 4, 3, 2, scale=0.3), (1, 2), (1, 0), (1, 1), 1, np.zeros(5)),
        "lif2": nir.LIF(*[np.full((5, 4, 2), v) for v in (3e-4, 2.0, 0.0, 0.7)]),
        "mean": nir.AvgPool2d(np.array([2, 2]), np.array([1, 1]), np.array([1, 1])),
        "flat": nir.Flatten(np.array([5, 5, 3]), 0, -1),
        "fc": nir.Linear(normal(4, 75, scale=0.4)),
        "cuba": nir.CubaLIF(tau_syn=between(2e-4, 5e-4, 4), tau_mem=between(3e-4, 9e-4, 4), r=np.full(4, 3.0), v_leak=np.zeros(4), v_threshold=np.full(4, 0.3), w_in=between(1, 2, 4)),
        "output": nir.Output(np.array([4])),
    }, [("input", "conv1"), ("conv1", "if1"), ("if1", "sum"), ("sum", "conv2"), ("conv2", "lif2"), ("lif2", "mean"), ("mean", "flat"), ("flat", "fc"), ("fc", "cuba"), ("cuba", "output")], type_check=False)


def recurrent():
    n = 5
    inner = nir.NIRGraph({
        "input": nir.Input(np.array([n])),
        "lif": nir.LIF(np.full(n, 4e-4), np.full(n, 2.0), np.zeros(n), np.full(n, 0.6)),
        "w_rec": nir.Affine(normal(n, n, scale=0.8), normal(n, scale=0.4)),
        "output": nir.Output(np.array([n])),
    }, [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    return nir.NIRGraph({
        "input": nir.Input(np.array([4])),
        "fc1": nir.Affine(normal(n, 4), normal(n, scale=0.2)),
        "rnn": inner,
        "delay": nir.Delay(np.array([0, 1e-4, 1e-4, 3e-4, 2e-4])),
        "scale": nir.Scale(between(0.5, 1.5, n)),
        "gate": nir.Threshold(np.full(n, 0.6)),
        "fc2": nir.Linear(normal(3, n)),
        "skip": nir.Linear(normal(3, 4)),
        "lif2": nir.LIF(np.full(3, 3e-4), np.full(3, 1.5), np.zeros(3), np.full(3, 0.5)),
        "back": nir.Linear(normal(n, 3, scale=0.5)),
        "output": nir.Output(np.array([3])),
    }, [("input", "fc1"), ("fc1", "rnn"), ("rnn", "delay"), ("delay", "scale"), ("scale", "gate"), ("gate", "fc2"), ("fc2", "lif2"), ("input", "skip"),
        ("skip", "lif2"), ("lif2", "output"), ("lif2", "back"), ("back", "rnn")], type_check=False)


def waves():
    return nir.NIRGraph({
        "input": nir.Input(np.array([3, 16])),
        "conv": nir.Conv1d(16, normal(4, 3, 5, scale=0.4), 2, 2, 1, 1, normal(4, scale=0.1)),
        "cuba": nir.CubaLI(tau_syn=np.full((4, 8), 2e-4), tau_mem=np.full((4, 8), 5e-4), r=np.full((4, 8), 2.0), v_leak=np.zeros((4, 8))),
        "lif": nir.LIF(*[np.full((4, 8), v) for v in (2e-4, 2.0, 0.0, 0.3)]),
        "flat": nir.Flatten(np.array([4, 8]), 0, -1),
        "fc": nir.Affine(normal(3, 32, scale=0.3), normal(3, scale=0.1)),
        "sum": nir.I(np.full(3, 2e3)),
        "output": nir.Output(np.array([3])),
    }, [("input", "conv"), ("conv", "cuba"), ("cuba", "lif"), ("lif", "flat"), ("flat", "fc"), ("fc", "sum"), ("sum", "output")])


# ---- what libraries export, and what they compute themselves ------------------------------------------------------------------------------------------

def snntorch_net():
    import snntorch as snn
    from snntorch.export_nir import export_to_nir

    leaky = lambda n, beta, **more: snn.Leaky(beta=torch.full((n,), beta), threshold=torch.full((n,), 0.6), init_hidden=True, **more)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), leaky(8, 0.8), torch.nn.Linear(8, 3), leaky(3, 0.9, output=True))
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim == 2:
                p.mul_(2)
    graph = export_to_nir(net, torch.rand(6))

    def run(clip):
        for module in net:
            if hasattr(module, "reset_mem"):
                module.reset_mem()
        with torch.no_grad():
            return torch.stack([net(torch.as_tensor(f, dtype=torch.float32)[None])[0][0] for f in clip]).mean(0).numpy()

    return graph, run


def spikingjelly_net():
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    net = torch.nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False), neuron.LIFNode(tau=2.0, decay_input=False), layer.AvgPool2d(2), layer.Conv2d(4, 4, 3, bias=True), neuron.IFNode(v_threshold=0.2),
        layer.Flatten(), layer.Linear(4, 3), neuron.LIFNode(tau=3.0, decay_input=True, v_threshold=0.05),
    )
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(3)
        net[6].bias.fill_(0.04)
    functional.set_step_mode(net, "m")
    graph = export_to_nir(net, torch.rand(5, 1, 2, 6, 6))

    def run(clip):
        functional.reset_net(net)
        with torch.no_grad():
            return net(torch.as_tensor(np.stack(clip), dtype=torch.float32)[:, None]).mean(0)[0].numpy()

    return graph, run


def norse_net():
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir

    net = norse.SequentialState(torch.nn.Linear(6, 8), norse.LIFBoxCell(norse.LIFBoxParameters(v_th=torch.tensor(0.2))), torch.nn.Linear(8, 3), norse.LIBoxCell())
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim == 2:
                p.mul_(4)
    graph = to_nir(net, torch.rand(6))

    def run(clip):
        state, total = None, 0
        with torch.no_grad():
            for frame in clip:
                out, state = net(torch.as_tensor(frame, dtype=torch.float32)[None], state)
                total = total + out[0]
        return (total / len(clip)).numpy()

    return graph, run


def case(name, graph, dt, reset, steps=12, density=0.4, run=None, compression="gzip"):
    path = OUT / f"{name}.nir"
    nir.write(path, graph, compression=compression)
    graph = nir.read(path, type_check=False)
    entry = next(n for n in graph.nodes.values() if isinstance(n, nir.Input))
    shape = [int(d) for d in np.asarray(entry.input_type["input"])]
    samples = []
    tries = 0
    while len(samples) < 3:
        tries += 1
        assert tries < 4000, name
        clip = (rng.uniform(size=(steps, *shape)) < density).astype(np.float64)
        output, spikes, margin = simulate(graph, clip, dt, reset)
        if margin < 1e-3:
            continue
        if run is not None:
            own = run(list(clip))
            assert np.abs(own - output).max() < 1e-5, (name, own, output)
        samples.append({
            "input": "".join(str(int(v)) for v in clip.ravel()),
            "output": [float(v) for v in np.asarray(output).ravel()],
            "spikes": {k: "".join(str(int(b)) for b in v.ravel()) for k, v in spikes.items()},
        })
    fired = {k: float(np.mean([[int(b) for b in s["spikes"][k]] for s in samples])) for k in samples[0]["spikes"]}
    print(name, "tries", tries, "rates", {k: round(v, 3) for k, v in fired.items()}, samples[0]["output"])
    return {"file": path.name, "dt": dt, "steps": steps, "reset": reset, "shape": shape, "library": run is not None, "samples": samples}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    layers = dense()
    cases = [
        case("dense", layers, 1e-4, "zero"),
        case("dense", layers, 1e-4, "subtract"),
        case("pictures", pictures(), 1e-4, "zero", steps=8),
        case("recurrent", recurrent(), 1e-4, "zero"),
        case("waves", waves(), 1e-4, "subtract"),
    ]
    graph, run = snntorch_net()
    cases.append(case("snntorch", graph, 1e-4, "subtract-late", run=run))
    graph, run = spikingjelly_net()
    cases.append(case("spikingjelly", graph, 1e-4, "zero", steps=8, run=run))
    graph, run = norse_net()
    cases.append(case("norse", graph, 1e-6, "zero", run=run, compression=None))
    names = ["nir", "nirtorch", "h5py", "numpy", "torch", "snntorch", "norse", "spikingjelly"]
    versions = {name: importlib.metadata.version(name) for name in names}
    (OUT / "cases.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")


main()
