import type { GraphBuilder } from '../../../core/onnx/builder.ts';
import { f32 } from '../../../core/tensor/tensor.ts';
import { fileOf } from '../importers/json.ts';
import { importGraphModel } from '../importers/tfjs-graph.ts';
import { type BuiltinModel, rgbInput, type WeightsPackage } from './builtin.ts';

export const humanPackage: WeightsPackage = { name: '@vladmandic/human', version: '3.3.6', licence: 'MIT' };

/** The package's own preparation (src/gear/emotion.ts): luminance of RGB 0..1, stretched to -1..1. */
function grey(g: GraphBuilder): string {
  const weights = g.constant(f32([0.2989, 0.587, 0.114], [1, 3, 1, 1]), 'luminance');
  const luminance = g.op('Conv', [g.input('image', ['N', 3, 64, 64]), weights], { kernel_shape: [1, 1] }, 'grey');
  return g.op('Mul', [g.op('Sub', [luminance, g.number(0.5)]), g.number(2)], {}, 'stretched');
}

const [json, weights] = ['models/emotion.json', 'models/emotion.bin'];

export const humanEmotion: BuiltinModel = {
  name: 'human/emotion',
  title: 'Facial expression, 7 classes, 64 x 64 (mini-XCEPTION by O. Arriaga, 205 k parameters)',
  package: humanPackage,
  files: [json, weights],
  task: 'classifier',
  build: (files) =>
    importGraphModel(
      fileOf(files, json, 'human/emotion'),
      { 'emotion.bin': fileOf(files, weights, 'human/emotion') },
      {
        source: 'human/emotion',
        prepare: { input_1: grey },
        outputs: { logits: 'StatefulPartitionedCall/model_1/global_average_pooling2d_1/Mean' },
      },
    ),
  inputs: { image: rgbInput(64) },
  classes: ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'],
  output: { name: 'logits', kind: 'logits' },
  note: 'Weights of npm package @vladmandic/human (MIT). Trained on FER2013 (its authors report 66 % on the private test part); the labels are those of FER2013.',
};
