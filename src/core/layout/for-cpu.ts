/** @file A finished graph in the form the CPU runtime computes fastest. Nothing here is needed for a right result. */
import type { Graph } from '../onnx/graph.ts';
import { enterBlockedLayout } from './blocked.ts';
import { affineAsConvolution } from './channel-affine.ts';
import { overPixelRows } from './pixel-rows/index.ts';
import type { DimsOf } from './sizes.ts';

/** The same graph: every value that is an output keeps its name and, but for the order of additions, its numbers. */
export const forCpu = (graph: Graph, dimsOf: DimsOf): Graph =>
  enterBlockedLayout(overPixelRows(affineAsConvolution(graph, dimsOf), dimsOf));
