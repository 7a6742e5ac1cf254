import { rules } from '../../../core/autodiff/rules/index.ts';
import { suggestion, UserError } from '../../../core/errors.ts';
import { builtinModels } from '../../../kit/model/builtin/index.ts';
import type { Attack } from '../../../methods/attacks/attack.ts';
import { attacks } from '../../../methods/attacks/registry.ts';
import { dataSets } from '../../host/data.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

const things: Readonly<Record<string, () => { head: string[]; rows: string[][] }>> = {
  attacks: () => ({
    head: ['attack', 'needs', 'norms', 'what it does', 'options (defaults)'],
    rows: Object.values(attacks as Readonly<Record<string, Attack>>).map((a) => [
      a.name,
      a.needs,
      a.norms.join(' '),
      a.title,
      Object.entries(a.defaults)
        .map(([k, v]) => `${k}=${v}`)
        .join(' '),
    ]),
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
      const { head, rows } = make();
      const text = json
        ? JSON.stringify(
            rows.map((r) => Object.fromEntries(head.map((h, i) => [h, r[i]]))),
            null,
            2,
          )
        : table([head, ...rows]);
      process.stdout.write(`${text}\n`);
    });
};
