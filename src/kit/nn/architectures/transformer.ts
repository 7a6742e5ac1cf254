/** @file A small transformer encoder over patches: of time for sequences, of the plane for pictures (Dosovitskiy et al. 2021, arXiv 2010.11929). */
import { UserError } from '../../../core/errors.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import { belowOne, firstOf, oneOf, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { glorot } from '../initialisers.ts';
import { encoderBlock } from '../layers/attention.ts';
import { convolution } from '../layers/convolution.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { layerNorm } from '../layers/norms.ts';
import { timeAverage } from '../layers/pooling.ts';
import { learnedPositions, sinusoidalPositions } from '../layers/positions.ts';
import { permute, reshape } from '../layers/shape.ts';
import { chain, type Layer, named } from '../net.ts';
import { arrangedInput } from './input.ts';

const defaults = { width: 64, depth: 2, heads: 4, patch: 4, dropout: 0.1, norm: 'pre', positions: 'learned' };

/** x [N, C, ...] to [N, patches, width]: each patch through one dense layer; what does not fill a patch at the end of an axis is left out. */
const patches =
  (width: number, patch: number): Layer =>
  (net, x) => {
    const kernel = x.shape.slice(1).map(() => patch);
    const cut = named('patch', convolution(width, kernel, { stride: patch, initialise: glorot }))(net, x);
    return chain(reshape([width, sizeOf(cut.shape.slice(1))]), permute([1, 0]))(net, cut);
  };

/** One sequence [C, T] or picture [C, H, W]: patches, positions, blocks with GELU, a last normalisation ('pre'), the mean over patches, one dense layer. */
export const transformer: ArchitectureFamily<typeof defaults> = {
  name: 'transformer',
  title: 'small transformer encoder over patches of one sequence or picture',
  defaults,
  about: {
    width: 'numbers per patch inside; a multiple of `heads`',
    depth: 'encoder blocks',
    heads: 'attention heads',
    patch: 'moments, or pixels of a side, that make one patch',
    dropout: 'share dropped in training, of attention weights and of what each half of a block adds',
    norm: 'pre or post: where a block normalises',
    positions: 'learned or sinusoidal',
  },
  check: ({ width, depth, heads, patch, dropout: p, norm, positions }) =>
    firstOf(
      wholeFrom(1, 'width', width),
      wholeFrom(1, 'depth', depth),
      wholeFrom(1, 'heads', heads),
      width % heads === 0 ? undefined : `width ${width} is not a multiple of heads ${heads}`,
      wholeFrom(1, 'patch', patch),
      belowOne('dropout', p),
      oneOf(['pre', 'post'], 'norm', norm),
      oneOf(['learned', 'sinusoidal'], 'positions', positions),
    ),
  build(task, { width, depth, heads, patch, dropout: p, norm, positions }) {
    const plane = Object.values(task.inputs).some((spec) => spec.layout.includes('H'));
    const input = arrangedInput('transformer', task, plane ? 'CHW' : 'CT');
    if (input.shape.slice(1).some((n) => n < patch))
      throw new UserError(
        `input "${input.name}" has the sizes [${input.shape.slice(1)}], and a patch of ${patch} does not fit`,
        'choose a smaller `patch`',
      );
    const block = encoderBlock(heads, { norm: norm === 'pre' ? 'pre' : 'post', dropout: p });
    const body = chain(
      patches(width, patch),
      positions === 'learned' ? learnedPositions : sinusoidalPositions,
      named('dropout', dropout(p)),
      ...Array.from({ length: depth }, (_, i) => named(`block${i + 1}`, block)),
      ...(norm === 'pre' ? [named('norm', layerNorm())] : []),
      timeAverage,
      named('head', dense(task.classes.length, { initialise: glorot })),
    );
    return {
      ...task,
      name: 'transformer',
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
