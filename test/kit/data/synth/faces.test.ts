import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../../../src/app/host/images.ts';
import { findPackage, readPackageFiles } from '../../../../src/app/host/packages.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { fer2013, fer2013Labels } from '../../../../src/kit/data/fer2013.ts';
import type { RawImage } from '../../../../src/kit/data/source.ts';
import { express, expressions } from '../../../../src/kit/data/synth/faces/expressions.ts';
import { makeFace, targetShape } from '../../../../src/kit/data/synth/faces/face.ts';
import { faceNote, ferHeader, ferLine } from '../../../../src/kit/data/synth/faces/fer-lines.ts';
import { findIdentities, type Identity, identityFiles, landmarks } from '../../../../src/kit/data/synth/faces/identities.ts';
import {
  mirrored,
  neutralShape,
  type Point,
  placementOf,
  toFrame,
  toPicture,
} from '../../../../src/kit/data/synth/faces/shape.ts';
import { fieldOf, thinPlate } from '../../../../src/kit/data/synth/faces/warp.ts';
import { noteText, readNote } from '../../../../src/kit/data/synthetic-note.ts';
import type { PackageFiles } from '../../../../src/kit/model/builtin/builtin.ts';
import { faceApiLandmarks68, faceApiPackage } from '../../../../src/kit/model/builtin/face-api.ts';
import { bytesOf, complaint, everything, usableOf } from '../samples.ts';

const runtime = createRuntime(ort);
const code = (name: string) => expressions.findIndex((e) => e.name === name);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const centreY = (points: readonly Point[], ...at: number[]) => mean(at.map((i) => points[i]!.y));

/** What an expression is told by; y grows downwards. */
const measures = {
  /** How far the corners of the mouth lie above its middle. */
  corners: (p: readonly Point[]) => centreY(p, 51, 57) - centreY(p, 48, 54),
  opening: (p: readonly Point[]) => centreY(p, 65, 66, 67) - centreY(p, 61, 62, 63),
  /** How far the brows lie above the eyes. */
  brows: (p: readonly Point[]) => centreY(p, 36, 39, 42, 45) - centreY(p, 19, 20, 23, 24),
  innerBrows: (p: readonly Point[]) => centreY(p, 36, 39, 42, 45) - centreY(p, 21, 22),
  eyes: (p: readonly Point[]) => centreY(p, 40, 41, 46, 47) - centreY(p, 37, 38, 43, 44),
  width: (p: readonly Point[]) => p[54]!.x - p[48]!.x,
};

describe('the shape and its expressions', () => {
  test('the neutral shape is its own mirror image', () => {
    for (const [i, { x, y }] of neutralShape.entries()) expect(neutralShape[mirrored[i]!]).toEqual({ x: x === 0 ? 0 : -x, y });
  });

  test('the placement carries points to the frame and back', () => {
    const placement = { origin: { x: 50, y: 40 }, across: { x: 38, y: 9 } };
    const points = neutralShape.map((p) => toPicture(placement, p));
    const found = placementOf(points);
    for (const [i, p] of points.entries()) {
      const back = toPicture(found, toFrame(found, p));
      expect(Math.hypot(back.x - points[i]!.x, back.y - points[i]!.y)).toBeLessThan(1e-9);
    }
  });

  test.each<[string, keyof typeof measures, 1 | -1]>([
    ['Happy', 'corners', 1],
    ['Happy', 'width', 1],
    ['Sad', 'corners', -1],
    ['Sad', 'innerBrows', 1],
    ['Angry', 'innerBrows', -1],
    ['Angry', 'eyes', -1],
    ['Surprise', 'opening', 1],
    ['Surprise', 'brows', 1],
    ['Surprise', 'eyes', 1],
    ['Surprise', 'width', -1],
    ['Fear', 'brows', 1],
    ['Fear', 'width', 1],
    ['Disgust', 'brows', -1],
    ['Disgust', 'opening', 1],
  ])('%s: %s changes by its sign, more with strength', (name, measure, sign) => {
    const at = (strength: number) => measures[measure](express(neutralShape, expressions[code(name)]!, strength));
    expect(sign * (at(0.6) - at(0))).toBeGreaterThan(0.01);
    expect(sign * (at(1) - at(0.6))).toBeGreaterThan(0.005);
    expect(measures[measure](express(neutralShape, expressions[code('Neutral')]!, 1))).toBe(at(0));
  });
});

describe('the warp', () => {
  test('carries its points, and is exact for what a straight map does', () => {
    const from = neutralShape.slice(0, 30);
    const to = from.map(({ x, y }, i) => ({ x: x + 0.05 * Math.sin(i), y: y - 0.03 * Math.cos(3 * i) }));
    const warp = thinPlate(from, to);
    for (const [i, p] of from.entries()) {
      const { x, y } = warp(p.x, p.y);
      expect(Math.hypot(x - to[i]!.x, y - to[i]!.y)).toBeLessThan(1e-8);
    }
    const straight = thinPlate(
      from,
      from.map(({ x, y }) => ({ x: 2 * x - y + 1, y: 0.5 * x + y })),
    );
    const { x, y } = straight(0.3, 0.7);
    expect([x, y].map((v) => Number(v.toFixed(9)))).toEqual([0.9, 0.85]);
  });

  test('refuses points that lie twice in one place', () => {
    const p = { x: 0, y: 0 };
    expect(() => thinPlate([p, p, p], [p, p, p])).toThrow('one line');
  });

  test('a field interpolates: exact for a straight map, at the centres of samples', () => {
    const { x, y } = fieldOf((u, v) => ({ x: 3 * u + v, y: v - 1 }), 4, 3);
    expect(x[0]).toBeCloseTo(-0.75 * 4, 12);
    expect(y[15]).toBeCloseTo(-0.25, 12);
  });
});

describe('synthetic faces', () => {
  let files: PackageFiles;
  let people: readonly Identity[];
  beforeAll(async () => {
    files = await readPackageFiles(await findPackage(faceApiPackage), identityFiles);
    people = await findIdentities({ runtime, decodeImage, files });
  }, 120_000);

  test('the faces of a photo are in one split, and what is no face seen well is left out', () => {
    const splits = new Map<string, string>();
    for (const { id, split } of people) {
      const photo = id.split('-')[0]!;
      expect(splits.get(photo) ?? split).toBe(split);
      splits.set(photo, split);
    }
    expect(people.length).toBe(19);
    expect(people.some((p) => p.id === 'sample6-face4')).toBe(false);
    expect(new Set(splits.values()).size).toBe(3);
  });

  test('a face is a pure function of its number and the seed', () => {
    const face = makeFace(37, people, { seed: 5 });
    makeFace(3, people, { seed: 5 });
    expect(makeFace(37, people, { seed: 5 })).toEqual(face);
    expect(makeFace(37, people, { seed: 6 }).picture.data).not.toEqual(face.picture.data);
  });

  test('classes take turns, people stay in their split, and pictures use the grey scale', () => {
    const faces = Array.from({ length: 140 }, (_, i) => makeFace(i, people));
    for (const face of faces) {
      expect(people.find((p) => p.id === face.identity)!.split).toBe(face.split);
      const { width, height, channels, data } = face.picture;
      expect([width, height, channels, data.length]).toEqual([48, 48, 1, 2304]);
      expect(new Set(data).size).toBeGreaterThan(30);
    }
    for (const split of ['train', 'validation', 'test'])
      for (const label of expressions.keys())
        expect(faces.filter((f) => f.split === split && f.label === label).length).toBe(split === 'train' ? 14 : 3);
  });

  test('the names are FER2013s, in the order of its codes', () => {
    expect(expressions.map((e) => e.name)).toEqual(fer2013Labels);
  });

  test('what the warp was asked for is seen by the landmark net: mouths open for surprise, corners rise for joy', async () => {
    const session = await runtime.open(faceApiLandmarks68.build(files));
    /** Mean shape the net sees in sixteen faces of an expression. */
    const seen = async (name: string) => {
      const shapes: Point[][] = [];
      for (let i = code(name); i < 7 * 16; i += 7) {
        const points = await landmarks(session, enlarged(makeFace(i, people).picture));
        const placement = placementOf(points);
        shapes.push(points.map((p) => toFrame(placement, p)));
      }
      return neutralShape.map((_, i) => ({ x: mean(shapes.map((s) => s[i]!.x)), y: mean(shapes.map((s) => s[i]!.y)) }));
    };
    try {
      const { opening, corners, brows } = measures;
      const [neutral, happy, sad, surprise, angry] = [
        await seen('Neutral'),
        await seen('Happy'),
        await seen('Sad'),
        await seen('Surprise'),
        await seen('Angry'),
      ];
      expect(opening(surprise)).toBeGreaterThan(opening(neutral) + 0.1);
      expect(corners(happy)).toBeGreaterThan(corners(neutral) + 0.05);
      expect(corners(sad)).toBeLessThan(corners(neutral) - 0.03);
      expect(brows(surprise)).toBeGreaterThan(brows(angry) + 0.05);
    } finally {
      await session.release();
    }
  }, 120_000);

  test("a smiling person's neutral face does not smile", () => {
    const smile = people.find((p) => p.id === 'sample3-face3')!;
    const neutral = targetShape(smile, code('Neutral'), 1, stream(0)).shape;
    expect(measures.corners(smile.shape)).toBeGreaterThan(measures.corners(neutral) + 0.05);
    expect(measures.opening(neutral)).toBeLessThan(0.05);
  });

  test('as FER2013 lines with their note: synthetic, grouped by face, and refused beside another file', async () => {
    const faces = Array.from({ length: 49 }, (_, i) => makeFace(i, people));
    const text = ferHeader + faces.map(ferLine).join('');
    const note = faceNote(
      people,
      faces.map((f) => f.identity),
      { seed: 0 },
    );
    const read = readNote(new TextEncoder().encode(noteText(note)), 'faces.csv.synthetic.json');
    expect(read).toEqual(note);
    const data = await fer2013(bytesOf(text), { note: read, usage: 'PrivateTest' });
    expect(data.synthetic).toMatch(/^synthetic faces: 19 photographed faces/);
    expect(data.labelsAre).toBe('the expressions that were asked for when the pictures were made');
    const items = usableOf(await everything(data));
    const held = faces.filter((f) => f.split === 'test');
    expect(items.map((i) => [i.label, i.group])).toEqual(held.map((f) => [expressions[f.label]!.name, f.identity]));
    expect((items[0]!.inputs[''] as RawImage).data).toEqual(held[0]!.picture.data);
    expect((await fer2013(bytesOf(text), { usage: 'PrivateTest' })).synthetic).toBeUndefined();
    expect(await complaint(() => fer2013(bytesOf(`${text}${ferLine(faces[0]!)}`), { note: read, name: 'f.csv' }))).toBe(
      'the note beside f.csv speaks of 49 samples, the file holds 50 -> make the file again, or remove the note if it does not belong to it',
    );
  });

  test('a note that is none is refused by name', async () => {
    const read = (text: string) => complaint(() => readNote(new TextEncoder().encode(text), 'n.json'));
    expect(await read('{')).toMatch(/^n.json is not a note on synthetic data: /);
    expect(await read('null')).toMatch(/it has no text "synthetic"/);
    expect(await read('{"synthetic":"x","groups":[1]}')).toMatch(/its "groups" are not a list of names/);
  });
});

/** 48 x 48 grey as the 112 x 112 RGB the landmark net takes. */
function enlarged({ data }: RawImage): RawImage {
  const out = new Uint8Array(112 * 112 * 3);
  for (let y = 0; y < 112; y++)
    for (let x = 0; x < 112; x++)
      out.fill(data[Math.floor((y * 48) / 112) * 48 + Math.floor((x * 48) / 112)]!, (y * 112 + x) * 3, (y * 112 + x) * 3 + 3);
  return { kind: 'image', width: 112, height: 112, channels: 3, data: out };
}
