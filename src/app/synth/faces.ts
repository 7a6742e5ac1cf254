/** @file Makes the synthetic faces and writes them: FER2013's CSV with its note, or folders of PNG files, and a contact sheet. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawImage } from '../../kit/data/source.ts';
import { expressions } from '../../kit/data/synth/faces/expressions.ts';
import { makeFace, type SyntheticFace } from '../../kit/data/synth/faces/face.ts';
import { aboutFaces, faceNote, ferHeader, ferLine } from '../../kit/data/synth/faces/fer-lines.ts';
import { findIdentities, type Identity, identityFiles } from '../../kit/data/synth/faces/identities.ts';
import { enough, splitNames } from '../../kit/data/synth/splits.ts';
import { noteEnding, noteInFolder, noteText } from '../../kit/data/synthetic-note.ts';
import { faceApiPackage } from '../../kit/model/builtin/face-api.ts';
import { contactSheet } from '../host/contact-sheet.ts';
import { makeFolder, writeWhole } from '../host/files.ts';
import { decodeImage, encodePng } from '../host/images.ts';
import { findPackage, readPackageFiles } from '../host/packages.ts';
import { nodeRuntime } from '../host/runtime.ts';

export interface SynthFacesOptions {
  readonly out: string;
  readonly format: 'fer2013' | 'image-folder';
  readonly count: number;
  readonly seed: number;
  /** Where to put a contact sheet. */
  readonly sheet?: string;
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

/** Columns of the contact sheet. */
const sheetColumns = 16;

/** Makes `count` faces and writes them; what was made, in a sentence. */
export async function synthFaces({ out, format, count, seed, sheet, replace, onProgress }: SynthFacesOptions): Promise<string> {
  enough(count, expressions.length);
  const files = await readPackageFiles(await findPackage(faceApiPackage), identityFiles);
  const people = await findIdentities({ runtime: nodeRuntime(), decodeImage, files });
  const made = { by: 'provoke synth faces', count, seed, package: `${faceApiPackage.name} ${faceApiPackage.version}` };
  const rows: RawImage[][] = expressions.map(() => []);
  const faces = function* (): Generator<SyntheticFace> {
    for (let i = 0; i < count; i++) {
      const face = makeFace(i, people, { seed });
      const row = rows[face.label]!;
      if (row.length < sheetColumns) row.push(face.picture);
      onProgress(i, count);
      yield face;
    }
  };
  if (format === 'fer2013') await asCsv(out, { people, faces, made });
  else await makeFolder(out, (folder) => asFolders(folder, { people, faces, made }), replace);
  if (sheet !== undefined) await writeWhole(sheet, await contactSheet(rows));
  return aboutFaces(people);
}

interface Making {
  readonly people: readonly Identity[];
  readonly faces: () => Generator<SyntheticFace>;
  readonly made: Readonly<Record<string, unknown>>;
}

/** The note goes first: the faces are nowhere without it. */
async function asCsv(out: string, { people, faces, made }: Making): Promise<void> {
  const lines: string[] = [];
  const groups: string[] = [];
  for (const face of faces()) {
    lines.push(ferLine(face));
    groups.push(face.identity);
  }
  await writeWhole(`${out}${noteEnding}`, noteText(faceNote(people, groups, made)));
  await writeWhole(out, inPieces([ferHeader, ...lines]));
}

async function* inPieces(lines: readonly string[]): AsyncGenerator<string> {
  for (let i = 0; i < lines.length; i += 256) yield lines.slice(i, i + 256).join('');
}

/** SPLIT/CLASS/IDENTITY/NUMBER.png, with a note in each split's folder: each can be the path of an experiment. */
async function asFolders(folder: string, { people, faces, made }: Making): Promise<void> {
  for (const split of splitNames) {
    await mkdir(join(folder, split), { recursive: true });
    await writeFile(join(folder, split, noteInFolder), noteText({ synthetic: aboutFaces(people), made }));
  }
  let number = 0;
  for (const { split, label, identity, picture } of faces()) {
    const place = join(folder, split, expressions[label]!.name.toLowerCase(), identity);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, `${String(++number).padStart(6, '0')}.png`), await encodePng(picture));
  }
}
