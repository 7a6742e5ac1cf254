/** @file Of a suite: which part found how many. */
import { count } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { Budget, RunIndex } from '../run-index.ts';

const optionText = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

/** A table for every suite of the run: its parts in the order they ran, with what they found at each budget; undefined where there is no suite. */
export function parts(index: RunIndex): Markup | undefined {
  const credits = (attack: string, budget: Budget): boolean =>
    [...index.rows(attack, budget).values()].some(({ by }) => by !== undefined);
  const suites = index.attacks.filter(
    ({ name, executes }) => executes !== undefined || index.budgets.some((budget) => credits(name, budget)),
  );
  if (suites.length === 0) return undefined;
  return html`<h3>Which part of a suite found how many?</h3>${suites.map((attack) => {
    const executes = attack.executes ?? [];
    const found = index.budgets.map((budget) => {
      const counts = new Map<string, number>();
      for (const { status, by } of index.rows(attack.name, budget).values())
        if (status === 'success' && by !== undefined) counts.set(by, (counts.get(by) ?? 0) + 1);
      return counts;
    });
    const names = [...new Set([...executes.map(({ name }) => name), ...found.flatMap((counts) => [...counts.keys()])])];
    const options = new Map(executes.map((part) => [part.name, `${part.attack}: ${optionText(part.options)}`]));
    return html`<div class="scroll"><table class="inputs"><caption>${attack.label}: every part runs on what those before it left standing, so the order decides who is credited.</caption>
<thead><tr><th scope="col">Part</th>${index.budgets.map(({ label }) => html`<th scope="col">${label}</th>`)}<th scope="col">What ran</th></tr></thead>
<tbody>${names.map((name) => html`<tr><th scope="row">${name}</th>${found.map((counts) => html`<td>${count(counts.get(name) ?? 0)}</td>`)}<td>${options.get(name) ?? ''}</td></tr>`)}</tbody></table></div>`;
  })}`;
}
