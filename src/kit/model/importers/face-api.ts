/**
 * @file The nets of npm package @vladmandic/face-api as graphs. The package stores weights only; the architectures below are those of its
 * sources faceFeatureExtractor, faceExpressionNet, faceLandmarkNet and tinyFaceDetector (1.7.15). All take RGB 0..1, NCHW.
 */
import { UserError } from '../../../core/errors.ts';
import { float, type GraphBuilder, graphBuilder } from '../../../core/onnx/builder.ts';
import type { Graph } from '../../../core/onnx/graph.ts';
import { f32, type Tensor } from '../../../core/tensor/tensor.ts';
import { fileOf, parseJson } from './json.ts';
import { convFilter, depthwiseFilter, samePads } from './layout.ts';
import { parseManifest, readWeights } from './tfjs-weights.ts';

export type FaceApiNet =
  | 'face_expression_model'
  | 'face_landmark_68_model'
  | 'face_landmark_68_tiny_model'
  | 'tiny_face_detector_model';

export interface FaceApiOptions {
  /** Side of the detector's square input, a multiple of 32; the other nets take 112. */
  detectorSize?: number;
}

/** 416 is the package's own default. */
export const faceApiDefaults: Required<FaceApiOptions> = { detectorSize: 416 };

/** Names of the two files of a net inside the package's folder `model`. */
export const faceApiFiles = (net: FaceApiNet): readonly [manifest: string, weights: string] => [
  `${net}-weights_manifest.json`,
  `${net}.bin`,
];

/**
 * Builds a net from its two files, given by their names (see faceApiFiles). Input "image" [N,3,S,S], RGB 0..1.
 * Output: "logits" [N,7] (expression), "landmarks" [N,136] (x,y interleaved, 0..1 of the square) or "grid" [N,25,S/32,S/32] (detector,
 * undecoded: see detections in tiny-face-decode.ts).
 */
export function importFaceApi(net: FaceApiNet, files: Readonly<Record<string, Uint8Array>>, options: FaceApiOptions = {}): Graph {
  const { detectorSize } = { ...faceApiDefaults, ...options };
  const [name] = faceApiFiles(net);
  const manifest = parseManifest(parseJson(fileOf(files, name, `the net ${net}`), name), name);
  const weights = readWeights(manifest, files, name);
  const g = graphBuilder({ name: net });
  const layers = layersOf(g, weights, name);
  switch (net) {
    case 'face_expression_model':
      return features(g, layers, { blocks: 4, convs: 4, pool: 7, output: 'logits', size: 7 });
    case 'face_landmark_68_model':
      return features(g, layers, { blocks: 4, convs: 4, pool: 7, output: 'landmarks', size: 136 });
    case 'face_landmark_68_tiny_model':
      return features(g, layers, { blocks: 3, convs: 3, pool: 14, output: 'landmarks', size: 136 });
    case 'tiny_face_detector_model':
      return detector(g, layers, detectorSize);
  }
}

interface Layers {
  weight(name: string): Tensor<'float32'>;
  conv(x: string, name: string, stride: number, pads: readonly [number, number], output?: string): string;
  /** Depthwise 3x3, then pointwise 1x1 with bias. */
  separable(x: string, name: string, stride: number, pads: readonly [number, number]): string;
}

function layersOf(g: GraphBuilder, weights: ReadonlyMap<string, Tensor>, source: string): Layers {
  const weight = (name: string): Tensor<'float32'> => {
    const found = weights.get(name);
    if (found?.dtype === 'float32') return found;
    throw new UserError(
      `${source}: the float32 weight "${name}" is missing`,
      'use the files of @vladmandic/face-api 1.7.15: this manifest belongs to another net',
    );
  };
  const window = (kernel: number, stride: number, [before, after]: readonly [number, number]) => ({
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [before, before, after, after],
  });
  const constant = (value: Tensor, name: string) => g.constant(value, name);
  return {
    weight,
    conv(x, name, stride, pads, output = `${name}/conv`) {
      const filter = convFilter(weight(`${name}/filters`));
      const inputs = [x, constant(filter, `${name}/filters`), constant(weight(`${name}/bias`), `${name}/bias`)];
      return g.op('Conv', inputs, window(filter.dims[2]!, stride, pads), output);
    },
    separable(x, name, stride, pads) {
      const depthwise = depthwiseFilter(weight(`${name}/depthwise_filter`));
      const attributes = { ...window(3, stride, pads), group: depthwise.dims[0]! };
      const y = g.op('Conv', [x, constant(depthwise, `${name}/depthwise_filter`)], attributes, `${name}/depthwise`);
      const pointwise = constant(convFilter(weight(`${name}/pointwise_filter`)), `${name}/pointwise_filter`);
      const inputs = [y, pointwise, constant(weight(`${name}/bias`), `${name}/bias`)];
      return g.op('Conv', inputs, window(1, 1, [0, 0]), `${name}/pointwise`);
    },
  };
}

/** The package's nets want (RGB 0..255 - mean) / 255. */
function normalised(g: GraphBuilder, side: number, mean: readonly number[]): string {
  const scaled = g.op('Mul', [g.input('image', ['N', 3, side, side]), g.number(255)], {}, 'pixels');
  return g.op('Div', [g.op('Sub', [scaled, g.constant(f32(mean, [1, 3, 1, 1]), 'mean')]), g.number(255)], {}, 'normalised');
}

interface FeatureNet {
  readonly blocks: number;
  readonly convs: number;
  readonly pool: number;
  readonly output: string;
  readonly size: number;
}

/** Dense blocks of separable convolutions, average pool, one fully connected layer. */
function features(g: GraphBuilder, layers: Layers, net: FeatureNet): Graph {
  let x = normalised(g, 112, [122.782, 117.001, 104.298]);
  let side = 112;
  for (let block = 0; block < net.blocks; block++) {
    const halve = samePads(side, 3, 2);
    const first = block === 0 ? layers.conv(x, 'dense0/conv0', 2, halve) : layers.separable(x, `dense${block}/conv0`, 2, halve);
    let sum = g.op('Relu', [first]);
    x = sum;
    for (let i = 1; i < net.convs; i++) {
      sum = g.op('Add', [sum, layers.separable(x, `dense${block}/conv${i}`, 1, [1, 1])]);
      x = g.op('Relu', [sum]);
    }
    side = Math.ceil(side / 2);
  }
  const pooled = g.op('AveragePool', [x], { kernel_shape: [net.pool, net.pool], strides: [2, 2] });
  const flat = g.op('Flatten', [pooled], { axis: 1 });
  const inputs = [flat, g.constant(layers.weight('fc/weights'), 'fc/weights'), g.constant(layers.weight('fc/bias'), 'fc/bias')];
  g.output(g.op('Gemm', inputs, {}, net.output), ['N', net.size]);
  return g.build();
}

/** Tiny YOLO v2 with separable convolutions: 5 anchors x (x, y, width, height, score) per cell. */
function detector(g: GraphBuilder, layers: Layers, side: number): Graph {
  if (!Number.isInteger(side) || side < 32 || side % 32 !== 0) {
    throw new UserError(`the face detector's input side is ${side}`, 'choose a multiple of 32, e.g. 416');
  }
  const leaky = (x: string) => g.op('LeakyRelu', [x], { alpha: float(Math.fround(0.1)) });
  let x = normalised(g, side, [117.001, 114.697, 97.404]);
  let size = side - 2;
  x = leaky(layers.conv(x, 'conv0', 1, [0, 0]));
  for (let i = 1; i <= 5; i++) {
    const [before, after] = samePads(size, 2, 2);
    x = g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2], pads: [before, before, after, after] });
    size = Math.ceil(size / 2);
    x = leaky(layers.separable(x, `conv${i}`, 1, [1, 1]));
  }
  x = g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1] });
  g.output(layers.conv(x, 'conv8', 1, [0, 0], 'grid'), ['N', 25, size, size]);
  return g.build();
}
