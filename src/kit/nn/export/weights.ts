/** @file Trained values by name: into a network, into a digest, into a .npz file and back. */
import { suggestion, UserError } from '../../../core/errors.ts';
import type { Graph } from '../../../core/onnx/graph.ts';
import { readNpz, writeNpz } from '../../../core/tensor/npy.ts';
import { bytesOf, type Tensor } from '../../../core/tensor/tensor.ts';
import { digest } from '../../data/digest.ts';
import { type Architecture, buildNetwork, type Network } from '../architecture.ts';

/** Parameters and statistics of a network by the names they were trained under. */
export type Weights = Readonly<Record<string, Tensor<'float32'>>>;

/** Names of everything that training changes, in the order it was made. */
const weightNames = (network: Pick<Network, 'parameters' | 'statistics'>): string[] => [
  ...network.parameters,
  ...network.statistics.keys(),
];

/** The graph of a network with these values in place of its first ones. Throws where one is missing, of another shape, or no part of the network. */
export function withWeights(network: Network, weights: Weights): Graph {
  const wrong = misfit(network, weights);
  if (wrong !== undefined) throw new Error(wrong.message);
  return { ...network.graph, initializers: new Map([...network.graph.initializers, ...Object.entries(weights)]) };
}

/** What keeps the values from being those of the network, or undefined. */
function misfit(network: Network, weights: Readonly<Record<string, Tensor>>): UserError | undefined {
  const names = weightNames(network);
  const name = network.architecture.name;
  for (const wanted of names) {
    const given = weights[wanted];
    const { dims } = network.graph.initializers.get(wanted)!;
    if (given === undefined)
      return new UserError(`"${wanted}" of ${name} has no value`, 'use the weights of a network built with the same options');
    if (given.dtype !== 'float32' || given.dims.join() !== dims.join())
      return new UserError(
        `"${wanted}" of ${name} is float32 [${dims}], the value given is ${given.dtype} [${given.dims}]`,
        'use the weights of a network built with the same options and classes',
      );
    const values = given.data as Float32Array;
    const at = values.findIndex((v) => !Number.isFinite(v));
    if (at >= 0)
      return new UserError(
        `"${wanted}" of ${name} holds ${values[at]} at position ${at}`,
        'use weights from before training went wrong',
      );
  }
  const known = new Set(names);
  const other = Object.keys(weights).find((given) => !known.has(given));
  if (other !== undefined) return new UserError(`${name} has no weight "${other}"`, suggestion(other, names));
  return undefined;
}

/** Hexadecimal sha256 over the names, shapes and bits of the weights, whatever order they come in. */
export async function weightsDigest(weights: Weights): Promise<string> {
  const hash = digest();
  for (const name of Object.keys(weights).sort()) {
    const value = weights[name]!;
    await hash.add(`${name} [${value.dims.join(', ')}]`);
    await hash.add(bytesOf(value));
  }
  return hash.finish();
}

/** The weights as an archive of NumPy arrays under their training names; equal weights give equal bytes. */
export const writeWeights = (weights: Weights): Uint8Array => writeNpz(weights, { compress: false });

/**
 * Reads weights for a network from a .npz archive, to go on from them. `source` is what errors call the file.
 * Throws a UserError that names the first weight that is missing, of another shape, not finite, or unknown.
 */
export function readWeights(bytes: Uint8Array, architecture: Architecture, source: string): Weights {
  const arrays = Object.fromEntries(readNpz(bytes, source));
  const wrong = misfit(buildNetwork(architecture, { mode: 'inference', seed: 0 }), arrays);
  if (wrong !== undefined) throw new UserError(`${source}: ${wrong.message}`, wrong.remedy);
  return arrays as Weights;
}
