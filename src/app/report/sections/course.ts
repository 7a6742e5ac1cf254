/** @file How attacks got where they got, as far as there is something to show. */
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import type { RunIndex } from '../run-index.ts';
import { distances } from './distances.ts';
import { parts } from './parts.ts';
import { progress } from './progress.ts';
import { queries } from './queries.ts';

/** Distances, queries, progress and parts; undefined where the run has none of them. */
export function course(data: ReportData, index: RunIndex): Markup | undefined {
  const shown = [distances(data, index), queries(index), progress(index), parts(index)].flatMap((one) => one ?? []);
  return shown.length === 0 ? undefined : html`${shown}`;
}
