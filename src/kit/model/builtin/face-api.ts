import { type FaceApiNet, faceApiDefaults, faceApiFiles, importFaceApi } from '../importers/face-api.ts';
import { type BuiltinModel, type PackageFiles, rgbInput, type WeightsPackage } from './builtin.ts';

export const faceApiPackage: WeightsPackage = { name: '@vladmandic/face-api', version: '1.7.15', licence: 'MIT' };

const origin = 'Weights of npm package @vladmandic/face-api (MIT)';

function faceApi(net: FaceApiNet): Pick<BuiltinModel, 'package' | 'files' | 'build'> {
  const names = faceApiFiles(net);
  return {
    package: faceApiPackage,
    files: names.map((name) => `model/${name}`),
    build: (files: PackageFiles) =>
      importFaceApi(
        net,
        Object.fromEntries(names.flatMap((name) => (files[`model/${name}`] ? [[name, files[`model/${name}`]!]] : []))),
      ),
  };
}

export const faceApiExpression: BuiltinModel = {
  name: 'face-api/expression',
  title: 'Facial expression, 7 classes, 112 x 112 (separable dense net, 324 k parameters)',
  ...faceApi('face_expression_model'),
  task: 'classifier',
  inputs: { image: rgbInput(112) },
  classes: ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'],
  output: { name: 'logits', kind: 'logits' },
  note: `${origin}. Trained on public sets and scraped pictures its authors do not name: what its labels mean is not documented, and no accuracy is claimed.`,
};

export const faceApiTinyFaceDetector: BuiltinModel = {
  name: 'face-api/tiny-face-detector',
  title: `Face detector (tiny YOLO v2, 5 anchors, ${faceApiDefaults.detectorSize} x ${faceApiDefaults.detectorSize})`,
  ...faceApi('tiny_face_detector_model'),
  task: 'detector',
  inputs: { image: rgbInput(faceApiDefaults.detectorSize) },
  classes: [],
  output: { name: 'grid', kind: 'values' },
  note: `${origin}. The output is the undecoded grid; boxes are decoded outside the graph.`,
};

export const faceApiLandmarks68: BuiltinModel = {
  name: 'face-api/landmarks68',
  title: '68 facial landmarks, 112 x 112 (iBUG order)',
  ...faceApi('face_landmark_68_model'),
  task: 'landmarks',
  inputs: { image: rgbInput(112) },
  classes: [],
  output: { name: 'landmarks', kind: 'values' },
  note: `${origin}. Trained on about 35 000 faces its authors do not name. x and y interleaved, in 0..1 of the square input.`,
};
