/** Rows as aligned columns; numbers-like cells are right-aligned. The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((r) => r.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((r) => (r[c] ?? '').length)));
  const numeric = Array.from({ length: columns }, (_, c) => rows.slice(1).every((r) => /^[\d.,%+\-–\s/[\]e]*$/.test(r[c] ?? '')));
  return rows
    .map((row) =>
      row
        .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A fraction as percent with one decimal; a dash for a rate over nothing. */
export const percent = (fraction: number): string => (Number.isNaN(fraction) ? '-' : `${(100 * fraction).toFixed(1)} %`);

/** An interval of fractions in percent, e.g. "96.8-99.2". */
export const interval = (ends: readonly number[]): string => ends.map((end) => (100 * end).toFixed(1)).join('-');
