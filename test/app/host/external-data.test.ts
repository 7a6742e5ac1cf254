/** @file Weights outside the model file: only plain files inside the model's own folder are ever read. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { readOnnxFile } from '../../../src/app/host/models.ts';
import { ModelProtoSchema, TensorProto_DataLocation } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import { numbersOf } from '../../../src/core/tensor/tensor.ts';
import { inFolder } from '../cli/provoke.ts';

/** A model whose one weight, float32 [2], lies where `entries` say. */
const modelWith = (entries: Readonly<Record<string, string>>): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 18n }],
      graph: {
        name: 'g',
        initializer: [
          {
            name: 'w',
            dataType: 1,
            dims: [2n],
            dataLocation: TensorProto_DataLocation.EXTERNAL,
            externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
          },
        ],
      },
    }),
  );

const data = new Uint8Array(new Float32Array([1.5, -2]).buffer);

/** Reads a model in a folder that `prepare` has filled; beside the folder lies "secret.bin". */
async function read(entries: Readonly<Record<string, string>>, prepare: (folder: string) => Promise<unknown> = async () => {}) {
  return inFolder(async (outer) => {
    const folder = join(outer, 'model');
    await mkdir(folder);
    await writeFile(join(outer, 'secret.bin'), data);
    await writeFile(join(folder, 'model.onnx'), modelWith(entries));
    await prepare(folder);
    const { graph } = await readOnnxFile(join(folder, 'model.onnx'));
    return numbersOf(graph.initializers.get('w')!);
  });
}

const refusal = (message: RegExp) => expect.objectContaining({ name: 'UserError', message: expect.stringMatching(message) });

describe('external data', () => {
  it('are read from the folder of the model, from folders below it, and through links that stay inside', async () => {
    expect(await read({ location: 'w.bin' }, (f) => writeFile(join(f, 'w.bin'), data))).toEqual([1.5, -2]);
    const below = async (f: string) => {
      await mkdir(join(f, 'a'));
      await writeFile(join(f, 'a/w.bin'), data);
      await symlink('a/w.bin', join(f, 'link.bin'));
    };
    expect(await read({ location: 'a/w.bin' }, below)).toEqual([1.5, -2]);
    expect(await read({ location: 'link.bin' }, below)).toEqual([1.5, -2]);
  });

  it('are read beside the file the model is a link to, as download caches keep them', () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'blobs'));
      await mkdir(join(folder, 'snapshot'));
      await writeFile(join(folder, 'blobs/1'), modelWith({ location: 'w.bin' }));
      await writeFile(join(folder, 'blobs/2'), data);
      await symlink('../blobs/1', join(folder, 'snapshot/model.onnx'));
      await symlink('../blobs/2', join(folder, 'snapshot/w.bin'));
      const { graph } = await readOnnxFile(join(folder, 'snapshot/model.onnx'));
      expect(numbersOf(graph.initializers.get('w')!)).toEqual([1.5, -2]);
    }));

  it.each([
    '../secret.bin',
    'a/../../secret.bin',
    '..\\secret.bin',
    '/etc/hostname',
    '\\\\server\\share\\w.bin',
    'C:\\w.bin',
    'c:w.bin',
    'w.bin\0.txt',
    'NUL',
    'a/con.bin',
    '',
  ])('are refused at %j', async (location) => {
    await expect(read({ location })).rejects.toEqual(refusal(/not a path inside the model's folder/));
  });

  it('are refused behind a link that leads out, be it of the file or of a folder', async () => {
    const out = /is a link to ".*secret\.bin", outside the folder of the model/;
    await expect(read({ location: 'w.bin' }, (f) => symlink('../secret.bin', join(f, 'w.bin')))).rejects.toEqual(refusal(out));
    await expect(read({ location: 'up/secret.bin' }, (f) => symlink('..', join(f, 'up')))).rejects.toEqual(refusal(out));
  });

  it.skipIf(process.platform === 'win32')('are refused in a pipe nobody writes to, and in a folder', async () => {
    const pipe = async (f: string) => execFileSync('mkfifo', [join(f, 'w.bin')]);
    await expect(read({ location: 'w.bin' }, pipe)).rejects.toEqual(refusal(/is not a plain file/));
    await expect(read({ location: 'w.bin' }, (f) => mkdir(join(f, 'w.bin')))).rejects.toEqual(refusal(/is a folder/));
  });

  it.each([
    { offset: '-4' },
    { length: '-8' },
    { offset: '9223372036854775807' },
    { length: '99999999999999999999' },
    { offset: '4', length: '8' },
    { offset: 'four' },
    { offset: '' },
    { length: '4' },
  ])('are refused beyond the file, or where the weight is not filled: %j', async (entries) => {
    const there = (f: string) => writeFile(join(f, 'w.bin'), data);
    await expect(read({ location: 'w.bin', ...entries }, there)).rejects.toEqual(refusal(/has 8|needs 2 values and holds 1/));
  });
});
