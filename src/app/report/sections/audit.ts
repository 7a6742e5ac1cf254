/** @file Whether the attack itself can be trusted. */
import { number } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { AuditEntry, ReportData } from '../report-data.ts';

const text = (value: AuditEntry['value']): string => (value === null ? '—' : typeof value === 'number' ? number(value) : value);

/** Verdicts of the checks, or that there were none. */
export function audit(data: ReportData): Markup {
  if (data.audit.length === 0) {
    return html`<p>This run was <strong>not audited</strong>. A low success rate may mean a sturdy model or a broken attack; without checks the two look alike. Do not quote these figures as robustness.</p>`;
  }
  return html`<div class="scroll"><table class="audit"><caption>Checks of the attack’s own soundness. “Pass” means no red flag was found by that check.</caption>
<thead><tr>${['Check', 'Verdict', 'Severity', 'Value', 'Threshold', 'What to do'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${data.audit.map((check) => html`<tr class="${check.verdict}"><th scope="row">${check.id}</th><td>${check.verdict}</td><td>${check.severity}</td><td>${text(check.value)}</td><td>${text(check.threshold)}</td><td>${check.verdict === 'pass' ? '' : check.remedy}</td></tr>`)}</tbody></table></div>`;
}
