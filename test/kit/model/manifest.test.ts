import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { manifestOf, mergeManifests, readManifest } from '../../../src/kit/model/manifest.ts';

const refusal = (from: unknown): UserError => {
  try {
    readManifest(from, 'face.yaml');
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('the manifest was accepted');
};

describe('readManifest', () => {
  it('reads YAML text and an object alike', () => {
    const text = `
classes: [angry, happy]
inputs:
  input.1:
    layout: NCHW
    modality: image
    bounds: [0, 1]
    domain: { levels: 256 }
output: { name: probs, kind: probabilities }
`;
    const wanted = {
      classes: ['angry', 'happy'],
      inputs: { 'input.1': { layout: 'NCHW', modality: 'image', bounds: { lower: 0, upper: 1 }, domain: { levels: 256 } } },
      output: { name: 'probs', kind: 'probabilities' },
    };
    expect(readManifest(text, 'face.yaml')).toEqual(wanted);
    expect(readManifest(JSON.stringify(wanted), 'face.json')).toEqual(wanted);
    expect(readManifest(wanted, 'object')).toEqual(wanted);
  });

  it('takes bounds per channel and none at all', () => {
    const of = (bounds: unknown) => readManifest({ inputs: { x: { bounds } } }, 'm').inputs!.x!.bounds;
    expect(of([[-2, -1.5], 2])).toEqual({ lower: [-2, -1.5], upper: 2 });
    expect(of('unbounded')).toBe('unbounded');
  });

  it.each([
    [{ inputs: { x: { bound: [0, 1] } } }, 'inputs.x', 'bounds'],
    [{ clases: ['a'] }, 'clases', 'classes'],
    [{ output: { knd: 'logits' } }, 'output', 'kind'],
  ])('names a misspelt field and its likely spelling', (manifest, where, meant) => {
    const error = refusal(manifest);
    expect(error.message).toContain(`face.yaml: `);
    expect(error.message).toContain(where);
    expect(error.remedy).toContain(`did you mean "${meant}"`);
  });

  it.each([
    [{ inputs: { x: { layout: 'nchw' } } }, 'inputs.x.layout'],
    [{ inputs: { x: { layout: 'NCHH' } } }, 'inputs.x.layout'],
    [{ inputs: { x: { shape: [3, 0] } } }, 'inputs.x.shape.1'],
    [{ inputs: { x: { bounds: ['a', 1] } } }, 'inputs.x.bounds'],
    [{ output: { layout: 'TC' } }, 'output.layout'],
    [{ classes: [] }, 'classes'],
    ['classes: [a', 'is not YAML'],
    ['just text', 'the manifest'],
  ])('refuses %j and names the field', (manifest, where) => {
    expect(refusal(manifest).message).toContain(where);
  });
});

describe('manifestOf', () => {
  it('is undefined without an entry of ours', () => {
    expect(manifestOf(new Map([['author', 'someone']]), 'm.onnx')).toBeUndefined();
  });

  it('reads the single entry, and single fields over it; input names may hold dots', () => {
    const metadata = new Map([
      ['provoke', '{"classes": ["a", "b"], "coupling": "none"}'],
      ['provoke.coupling', 'batch'],
      ['provoke.note', 'trained: on nothing'],
      ['provoke.inputs.input.1.bounds', '[0, 1]'],
      ['provoke.inputs.input.1.layout', 'NCHW'],
      ['provoke.output.kind', 'probabilities'],
    ]);
    expect(manifestOf(metadata, 'm.onnx')).toEqual({
      classes: ['a', 'b'],
      coupling: 'batch',
      note: 'trained: on nothing',
      inputs: { 'input.1': { bounds: { lower: 0, upper: 1 }, layout: 'NCHW' } },
      output: { kind: 'probabilities' },
    });
  });

  it('names the file in its errors', () => {
    expect(() => manifestOf(new Map([['provoke.coupling', 'maybe']]), 'm.onnx')).toThrow(/m\.onnx, metadata: coupling/);
  });
});

it('merges field by field', () => {
  expect(
    mergeManifests(
      { classes: ['a'], inputs: { x: { layout: 'NC', unit: 'volt' } }, output: { name: 'y' } },
      { inputs: { x: { unit: 'sigma' }, y: {} }, output: { kind: 'logits' } },
    ),
  ).toEqual({ classes: ['a'], inputs: { x: { layout: 'NC', unit: 'sigma' }, y: {} }, output: { name: 'y', kind: 'logits' } });
});
