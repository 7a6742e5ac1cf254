import { extname } from 'node:path';
import { suggestion, UserError } from '../../../core/errors.ts';
import { writeModel } from '../../../core/onnx/writer.ts';
import type { Sensor } from '../../../kit/data/events/aedat-header.ts';
import { conventions } from '../../../kit/data/events/convention.ts';
import {
  type EventFormatName,
  type EventReadOptions,
  eventFormats,
  isEventFile,
  readEvents,
  writeEvents,
} from '../../../kit/data/events/formats.ts';
import { inMemory } from '../../../kit/data/events/sequential.ts';
import { builtinModels } from '../../../kit/model/builtin/index.ts';
import { type NirOptions, nirDefaults, readings } from '../../../kit/model/importers/nir/import-nir.ts';
import { resetKinds } from '../../../kit/model/importers/nir/layer.ts';
import { readUserFile, writeWhole } from '../../host/files.ts';
import { builtinGraph } from '../../host/models.ts';
import { readNir } from '../../host/nir.ts';
import { readTfjsModel } from '../../host/tfjs.ts';
import type { Register } from '../register.ts';

export const convert: Register = (program) => {
  program
    .command('convert <source>')
    .description(
      'TensorFlow.js graph models (model.json), NIR networks (.nir), and built-in models, to ONNX; event files to each other',
    )
    .requiredOption('-o, --out <file>', 'where to write the ONNX model, or the event file (.aedat, .bin, .npz, .csv)')
    .option(
      '--convention <name>',
      `event files: whose reading of address bits is followed (${conventions.join(', ')})`,
      oneOfConventions,
    )
    .option(
      '--aedat <version>',
      'event files: version of an .aedat file that is written, 2.0 or 3.1 (default: 3.1)',
      oneOfVersions,
    )
    .option('--sensor <WxH>', 'event files that do not say it: size of the sensor, such as 128x128', sensorOf)
    .option('--dt <seconds>', 'NIR: length of a time step, such as 1e-4', secondsOf)
    .option('--steps <n>', `NIR: time steps the network is run for (default: ${nirDefaults.steps})`, countOf)
    .option(
      '--reset <kind>',
      `NIR: what a spike does to its potential: zero, to v_reset; subtract, takes the threshold away; subtract-late, a step later (snnTorch's default) (default: ${nirDefaults.reset})`,
      oneOf(resetKinds, 'reset'),
    )
    .option(
      '--read <how>',
      `NIR: what becomes of the outputs of all steps: ${readings.join(', ')} (default: ${nirDefaults.read})`,
      oneOf(readings, 'reading'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke convert node_modules/@vladmandic/human/models/emotion.json -o emotion.onnx\n  $ provoke convert face-api/expression -o expression.onnx\n  $ provoke convert hand.aedat -o hand.npz\n  $ provoke convert net.nir -o net.onnx --dt 1e-4 --steps 10 --reset zero',
    )
    .action(async (source: string, { out, ...options }: ConvertOptions) => {
      const kind = kindOf(source);
      refuseForeign(source, kind, options);
      if (kind === 'events') return convertEvents(source, out, options);
      const graph = await graphOf(source, kind, options);
      await writeWhole(out, writeModel(graph));
      process.stdout.write(
        `${out}: ${graph.nodes.length} nodes; inputs ${graph.inputs.map((v) => v.name).join(', ')}; outputs ${graph.outputs.map((v) => v.name).join(', ')}\n`,
      );
    });
};

/** What can be converted: what messages call one and several of it, and the flags that are about it alone. */
const kinds = {
  events: { one: 'an event file', several: 'event files', flags: ['convention', 'aedat', 'sensor'] },
  nir: { one: 'a NIR network', several: 'NIR networks', flags: ['dt', 'steps', 'reset', 'read'] },
  tfjs: { one: 'a TensorFlow.js model', several: 'TensorFlow.js models', flags: [] },
  builtin: { one: 'a built-in model', several: 'built-in models', flags: [] },
} as const satisfies Record<string, { one: string; several: string; flags: readonly (keyof ConvertOptions)[] }>;
type Kind = keyof typeof kinds;

function kindOf(source: string): Kind {
  if (isEventFile(source)) return 'events';
  if (Object.hasOwn(builtinModels, source)) return 'builtin';
  if (source.endsWith('.json')) return 'tfjs';
  if (/\.nir$/i.test(source)) return 'nir';
  throw new UserError(
    `provoke cannot convert "${source}"`,
    `give a TensorFlow.js model.json, a .nir file, an event file (.aedat, .bin, .npz, .csv), or one of: ${Object.keys(builtinModels).join(', ')}`,
  );
}

const flagged = (flags: readonly string[]): string => flags.map((flag) => `--${flag}`).join(', ');

/** A flag that would change nothing is a mistake. */
function refuseForeign(source: string, kind: Kind, options: Omit<ConvertOptions, 'out'>): void {
  const { one, several, flags: own } = kinds[kind];
  for (const other of Object.values(kinds)) {
    if (other === kinds[kind]) continue;
    const given = other.flags.filter((flag) => options[flag] !== undefined);
    if (given.length > 0)
      throw new UserError(
        `${flagged(given)} ${given.length === 1 ? 'is' : 'are'} for ${other.several}, and "${source}" is ${one}`,
        `leave ${given.length === 1 ? 'it' : 'them'} out; ${several} ${own.length === 0 ? 'have no flags of their own' : `have ${flagged(own)}`}`,
      );
  }
}

interface ConvertOptions extends EventReadOptions, Omit<NirOptions, 'source'> {
  readonly out: string;
  readonly aedat?: '2.0' | '3.1';
}

/** Reads an event file and writes it in the format the ending of `out` names. */
async function convertEvents(
  source: string,
  out: string,
  { aedat: stated, ...read }: Omit<ConvertOptions, 'out'>,
): Promise<void> {
  const ending = extname(out).toLowerCase();
  if (stated !== undefined && ending !== '.aedat')
    throw new UserError(
      `--aedat is for .aedat files that are written, and "${out}" is none`,
      'leave it out, or name another --out',
    );
  const aedat = stated ?? '3.1';
  const format = (Object.keys(eventFormats) as EventFormatName[]).find(
    (name) => eventFormats[name].ending === ending && (ending !== '.aedat' || name === `aedat-${aedat}`),
  );
  if (format === undefined)
    throw new UserError(`"${out}" does not end like an event file`, 'the endings are .aedat, .bin, .npz, .csv');
  const stream = await readEvents(inMemory(await readUserFile(source, 'the event file')), source, read);
  await writeWhole(out, writeEvents(stream, format, read.convention === undefined ? {} : { convention: read.convention }));
  process.stdout.write(`${out}: ${stream.t.length} events, ${stream.width} x ${stream.height}, ${eventFormats[format].title}\n`);
}

const oneOf =
  <T extends string>(names: readonly T[], what: string) =>
  (value: string): T => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new UserError(`there is no ${what} "${value}"`, suggestion(value, names));
    return found;
  };

const oneOfConventions = oneOf(conventions, 'convention');
const oneOfVersions = oneOf(['2.0', '3.1'], 'version of .aedat files to write');

function sensorOf(value: string): Sensor {
  const [, width, height] = /^([1-9]\d*)x([1-9]\d*)$/.exec(value) ?? [];
  if (width === undefined) throw new UserError(`--sensor is "${value}"`, 'give width and height such as 128x128');
  return { width: Number(width), height: Number(height) };
}

function secondsOf(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0)) throw new UserError(`--dt is "${value}"`, 'give the length of a time step in seconds, such as 1e-4');
  return seconds;
}

function countOf(value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new UserError(`--steps is "${value}"`, 'give a whole number of time steps, such as 10');
  return Number(value);
}

const graphOf = async (source: string, kind: Exclude<Kind, 'events'>, options: NirOptions) => {
  if (kind === 'builtin') return (await builtinGraph(source)).graph;
  return kind === 'nir' ? readNir(source, options) : readTfjsModel(source);
};
