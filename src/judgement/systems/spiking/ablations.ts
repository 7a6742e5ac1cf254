/** @file Part (c): what each ingredient contributes: one table per question, every line an attack that differs from the first in one thing. */
import { z } from 'zod';
import type { Chapter, Table } from '../../chapter.ts';
import { attempts, budgetsOf, costText, medianText, rateText } from './attempts.ts';
import { attackMap, budgetList, budgetListType, named, option, wholeNumberType } from './options.ts';
import type { AttackEntry, FinishedRun, Part } from './study.ts';

const options = z.strictObject({
  norm: option(z.enum(['linf', 'l0']), {
    type: 'linf or l0',
    about: 'l0 counts flips of binary clips',
    example: 'linf',
  }),
  eps: option(budgetList, {
    type: budgetListType,
    about: 'budgets in that norm; whole numbers of flips under l0',
    example: '[2/255, 4/255]',
  }),
  queries: option(z.int().positive().optional(), {
    type: wholeNumberType,
    about: 'most queries of an attack on a sample, the same for all; unset: as many as its options make it ask',
    example: '1000',
  }),
  questions: option(named(named(attackMap)), {
    type: 'a map of questions, each a map of labels to attacks { use: NAME } with options of it',
    about: 'a table per question, a line per attack, by the labels given here',
    example: '{ reset: { through: { use: pgd, spikes: pdsg }, detached: { use: pgd, spikes: { use: pdsg, reset: detach } } } }',
  }),
});
type Options = z.infer<typeof options>;

/** Names of attacks are unique within a run: the question stands before the answer. */
const labelled = (question: string, answer: string): string => `${question}: ${answer}`;

export const ablations: Part<Options> = {
  name: 'ablations',
  title: 'What each ingredient contributes',
  options,
  runs: (victims, { norm, eps, queries, questions }) =>
    victims.map(({ name }) => ({
      victim: name,
      threat: { norm, eps },
      attacks: Object.entries(questions).flatMap(([question, answers]) =>
        Object.entries(answers).map(([answer, given]): AttackEntry => ({ ...given, as: labelled(question, answer) })),
      ),
      ...(queries === undefined ? {} : { queries }),
    })),
  conclude: (runs, _, { questions }): Chapter => ({
    title: ablations.title,
    paragraphs: ['Success of attempts with Wilson 95 % intervals.'],
    tables: runs.flatMap((run) =>
      Object.entries(questions).map(([question, answers]) => tableOf(run, question, Object.keys(answers))),
    ),
    claims: [],
  }),
};

function tableOf(run: FinishedRun, question: string, answers: readonly string[]): Table {
  const all = budgetsOf(run);
  const minimal = run.threat.norm === 'l0';
  const n = attempts(run, labelled(question, answers[0]!), all[0]!).length;
  return {
    title: `${question} (${run.victim}, ${n} attempts)`,
    head: [
      '',
      ...all.map((eps) => (minimal ? `≤ ${eps} flips` : `eps ${Number((255 * eps).toPrecision(3))}/255`)),
      ...(minimal ? ['median flips'] : []),
      'forwards',
      'seconds',
    ],
    rows: answers.map((answer) => {
      const name = labelled(question, answer);
      return [
        answer,
        ...all.map((eps) => rateText(attempts(run, name, eps))),
        ...(minimal ? [medianText(run, name)] : []),
        costText(run, name, 'forwards'),
        costText(run, name, 'seconds', 2),
      ];
    }),
  };
}
