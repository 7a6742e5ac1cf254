/** @file The families of networks a recipe can name. A new family is one file and one line here. */
import { findNamed } from '../../../core/errors.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { cnnLstm } from './cnn-lstm.ts';
import { resnet18 } from './resnet18.ts';
import { sequenceCnn } from './sequence-cnn.ts';
import { smallCnn } from './small-cnn.ts';
import { spikingCnn } from './spiking/cnn.ts';
import { spikingResnet } from './spiking/resnet.ts';
import { spikingVgg } from './spiking/vgg.ts';
import { transformer } from './transformer.ts';

const all: readonly ArchitectureFamily[] = [
  smallCnn,
  sequenceCnn,
  resnet18,
  cnnLstm,
  transformer,
  spikingCnn,
  spikingResnet,
  spikingVgg,
];

export const architectures: Readonly<Record<string, ArchitectureFamily>> = Object.fromEntries(
  all.map((family) => [family.name, family]),
);

/** The family of that name; throws a UserError with the nearest name otherwise. */
export const findArchitecture = (name: string): ArchitectureFamily => findNamed('model family', architectures, name);
