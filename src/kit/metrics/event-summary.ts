import { type EventSummary, eventFigures } from '../record/event-facts.ts';
import type { Row } from '../record/row.ts';
import { median } from './quantile.ts';
import { wilson } from './rates.ts';

/** Figures of the successes among rows of one attack and budget; undefined where none has an input made of events. */
export function summariseEvents(rows: readonly Row[]): EventSummary | undefined {
  const broken = rows.filter(({ status, events }) => status === 'success' && events !== undefined);
  if (broken.length === 0) return undefined;
  const facts = broken.map(({ events }) => Object.values(events!));
  const cutAnew = facts.flatMap((inputs) => {
    const known = inputs.flatMap(({ rebinned }) => (rebinned === null ? [] : [rebinned]));
    return known.length === 0 ? [] : [known.every(Boolean)];
  });
  const survived = cutAnew.filter(Boolean).length;
  const medians = Object.fromEntries(
    eventFigures.map((figure) => {
      const values = facts.flat().flatMap((input) => input[figure] ?? []);
      return [figure, values.length === 0 ? null : median(values)];
    }),
  ) as EventSummary['medians'];
  return {
    rebinnable: cutAnew.length,
    rebinned: survived,
    rebinnedRate: cutAnew.length === 0 ? null : survived / cutAnew.length,
    rebinnedInterval: cutAnew.length === 0 ? null : wilson(survived, cutAnew.length),
    medians,
  };
}
