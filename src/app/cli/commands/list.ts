import { rules } from '../../../core/autodiff/rules/index.ts';
import { suggestion, UserError } from '../../../core/errors.ts';
import { builtinModels } from '../../../kit/model/builtin/index.ts';
import { architectures } from '../../../kit/nn/architectures/registry.ts';
import { augmentations } from '../../../kit/nn/fit/augment/registry.ts';
import { optimisers } from '../../../kit/nn/optimisers/registry.ts';
import { schedules } from '../../../kit/nn/schedules.ts';
import type { OptionValue } from '../../../kit/options.ts';
import { spikeGradients } from '../../../kit/spiking/registry.ts';
import { absent } from '../../../methods/attacks/absent.ts';
import type { Attack } from '../../../methods/attacks/attack.ts';
import { attacks } from '../../../methods/attacks/registry.ts';
import { defences } from '../../../methods/defences/registry.ts';
import { dataSets } from '../../host/data.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

/** An option and its default, as the recipe and the experiment file have them. */
const optionsOf = ({ defaults }: { readonly defaults: Readonly<Record<string, OptionValue>> }): string =>
  Object.entries(defaults)
    .map(([k, v]) => `${k}=${v}`)
    .join(' ');

interface Titled {
  readonly name: string;
  readonly title: string;
  readonly defaults: Readonly<Record<string, OptionValue>>;
}

/** `more` is printed under the table. */
interface Listed {
  readonly head: string[];
  readonly rows: string[][];
  readonly more?: string;
}

const more = 'what the options mean: docs/training.md';

/** Classes the cost of an attack is listed for. */
const listed = 10;

function costOf({ passes, defaults, norms }: Attack): string {
  const most = passes(defaults, { classes: listed, norms: norms.slice(0, 1) });
  return `${most.forwards}, ${most.backwards}`;
}

/** What a recipe can name, with its options. */
const titled = (what: string, all: Readonly<Record<string, Titled>>): Listed => ({
  head: [what, 'what it is', 'options (defaults)'],
  rows: Object.values(all).map((t) => [t.name, t.title, optionsOf(t)]),
  more,
});

const things: Readonly<Record<string, () => Listed>> = {
  attacks: () => ({
    head: ['attack', 'kind', 'needs', 'norms', 'targeted', 'forwards, backwards', 'what it does', 'options (defaults)'],
    rows: Object.values(attacks as Readonly<Record<string, Attack>>).map((a) => [
      a.name,
      a.kind,
      a.needs,
      a.norms.join(' '),
      a.targeted ? 'yes' : 'no',
      costOf(a),
      a.title,
      optionsOf(a),
    ]),
    more: [
      `bounded: runs at every budget; minimal: runs once, looks for the smallest change, and counts at every budget its example fits into. Passes: the most a sample can cost with the defaults and ${listed} classes under the first norm.`,
      'not here:',
      ...absent.map(({ name, reason }) => `  ${name}: ${reason}`),
    ].join('\n'),
  }),
  models: () => ({
    head: ['model', 'package', 'licence', 'what it is'],
    rows: Object.entries(builtinModels).map(([name, m]) => [
      name,
      `${m.package.name}@${m.package.version}`,
      m.package.licence,
      m.title,
    ]),
  }),
  data: () => ({ head: ['data', 'kind', 'what it is'], rows: dataSets.map((d) => [d.name, d.kind, d.title]) }),
  architectures: () => titled('architecture', architectures),
  optimisers: () => ({
    head: ['optimiser', 'options (defaults)'],
    rows: Object.values(optimisers).map((o) => [o.name, optionsOf(o)]),
    more,
  }),
  schedules: () => ({
    head: ['schedule', 'options (defaults)'],
    rows: Object.values(schedules).map((s) => [s.name, optionsOf(s)]),
    more,
  }),
  augmentations: () => titled('augmentation', augmentations),
  defences: () => ({
    head: ['defence', 'what it does', 'options (defaults)', 'paper'],
    rows: Object.values(defences).map((d) => [d.name, d.title, optionsOf(d), d.paper]),
    more: `${more}; a recipe with a defence says against what, e.g. threat: { norm: linf, eps: 8/255 }`,
  }),
  surrogates: () => ({
    head: ['surrogate', 'derivative of a spike', 'options (defaults)', 'paper'],
    rows: Object.values(spikeGradients).map((s) => [s.name, s.title, optionsOf(s), s.paper]),
    more: 'u is the potential above the threshold; an experiment says spikes: NAME in its model, commands --spikes NAME; what the options mean: docs/experiment.md',
  }),
  ops: () => ({
    head: ['op', 'derivative'],
    rows: Object.entries(rules)
      .map(([op, entry]) => [
        op,
        typeof entry === 'string'
          ? entry === 'zero'
            ? 'nothing to differentiate'
            : 'zero almost everywhere (reported)'
          : 'rule',
      ])
      .sort(([a], [b]) => a!.localeCompare(b!)),
  }),
};

export const list: Register = (program) => {
  program
    .command('list <things>')
    .description(`what there is: ${Object.keys(things).join(', ')}`)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  $ provoke list attacks\n  $ provoke list ops --json')
    .action((what: string, { json }: { json?: boolean }) => {
      const make = things[what];
      if (make === undefined) throw new UserError(`there is no list of "${what}"`, suggestion(what, Object.keys(things)));
      const { head, rows, more: note } = make();
      const text = json
        ? JSON.stringify(
            rows.map((r) => Object.fromEntries(head.map((h, i) => [h, r[i]]))),
            null,
            2,
          )
        : table([head, ...rows]);
      process.stdout.write(`${text}\n${json || note === undefined ? '' : `\n${note}\n`}`);
    });
};
