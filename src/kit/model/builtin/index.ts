import type { BuiltinModel } from './builtin.ts';
import { faceApiExpression, faceApiLandmarks68, faceApiTinyFaceDetector } from './face-api.ts';
import { humanEmotion } from './human.ts';

/** Models an experiment can name with `model: { use: NAME }`. */
export const builtinModels: Readonly<Record<string, BuiltinModel>> = Object.fromEntries(
  [faceApiExpression, faceApiTinyFaceDetector, faceApiLandmarks68, humanEmotion].map((model) => [model.name, model]),
);
