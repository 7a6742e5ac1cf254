/** @file Where the ONNX backend test models lie, and one of them as bytes: a model, the inputs it is fed and the outputs it must give. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

/** One model with one set of inputs and outputs, each a serialised TensorProto. */
export interface StoredCase {
  readonly set: string;
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** Where Debian's libonnx-testdata puts the data; PROVOKE_ONNX_TESTDATA names another folder of the same layout (set/model/test_data_set_0/input_0.pb). */
const installed = '/usr/share/libonnx-testdata/data';

/** The folder of the backend test data, or undefined where it is not installed. */
export function testDataFolder(): string | undefined {
  const folder = process.env.PROVOKE_ONNX_TESTDATA ?? installed;
  return existsSync(join(folder, 'node')) ? folder : undefined;
}

export const howToInstall =
  'the ONNX backend test data are not there: install them (Debian, Ubuntu: apt-get install libonnx-testdata), or name their folder in PROVOKE_ONNX_TESTDATA';

/** Every model of one set ("node", "simple" ...), by name. */
export function casesOfFolder(folder: string, set: string): StoredCase[] {
  return readdirSync(join(folder, set))
    .sort()
    .filter((name) => existsSync(join(folder, set, name, 'model.onnx')))
    .map((name) => {
      const place = join(folder, set, name);
      const data = join(place, 'test_data_set_0');
      const files = readdirSync(data);
      return storedCase(set, name, readFileSync(join(place, 'model.onnx')), files, (file) => readFileSync(join(data, file)));
    });
}

/** Every model of a zip archive of the same layout. */
export function casesOfArchive(bytes: Uint8Array, set: string): StoredCase[] {
  const files = unzipSync(bytes);
  const names = Object.keys(files).flatMap((path) => /^([^/]+)\/model\.onnx$/.exec(path)?.[1] ?? []);
  return names.sort().map((name) => {
    const data = `${name}/test_data_set_0/`;
    const own = Object.keys(files).filter((path) => path.startsWith(data));
    const inside = own.map((path) => path.slice(data.length));
    return storedCase(set, name, files[`${name}/model.onnx`]!, inside, (file) => files[data + file]!);
  });
}

function storedCase(
  set: string,
  name: string,
  model: Uint8Array,
  files: readonly string[],
  read: (file: string) => Uint8Array,
): StoredCase {
  const numbered = (kind: string): Uint8Array[] => {
    const count = files.filter((f) => f.startsWith(`${kind}_`)).length;
    return Array.from({ length: count }, (_, i) => read(`${kind}_${i}.pb`));
  };
  return { set, name, model, inputs: numbered('input'), outputs: numbered('output') };
}
