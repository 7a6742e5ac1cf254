/** @file Synthetic faces as lines of FER2013's CSV, and the note that says what they are. */
import type { SyntheticNote } from '../../synthetic-note.ts';
import type { Split } from '../splits.ts';
import type { SyntheticFace } from './face.ts';
import type { Identity } from './identities.ts';

export const ferHeader = 'emotion,pixels,Usage\n';

/** FER2013's names of the splits. */
const ferUsage: Readonly<Record<Split, string>> = { train: 'Training', validation: 'PublicTest', test: 'PrivateTest' };

/** One face as a line. */
export const ferLine = ({ label, picture, split }: SyntheticFace): string =>
  `${label},${picture.data.join(' ')},${ferUsage[split]}\n`;

/** What is said of the faces wherever a result is. */
export function aboutFaces(people: readonly Identity[]): string {
  const of = (split: Split) => people.filter((p) => p.split === split).length;
  return `synthetic faces: ${people.length} photographed faces of the npm package @vladmandic/face-api (${of('train')} train, ${of('validation')} validation, ${of('test')} test, no photo in two splits), warped to seven expressions by moving landmarks, with painted mouths and creases, and with pose, light, blur and noise`;
}

/** The note beside the CSV; groups are the faces the samples were made from. */
export const faceNote = (
  people: readonly Identity[],
  groups: readonly string[],
  made: Record<string, unknown>,
): SyntheticNote => ({
  synthetic: aboutFaces(people),
  made,
  groups,
});
