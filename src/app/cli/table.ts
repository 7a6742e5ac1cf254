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

/** A budget as people write it: a short decimal, k/255 where it is one below 1, otherwise four significant digits. */
export function epsText(eps: number): string {
  const levels = eps * 255;
  if (Number(eps.toPrecision(4)) === eps) return String(eps);
  return eps > 0 && eps < 1 && Math.abs(levels - Math.round(levels)) < 1e-9 * 255 && Math.round(levels) > 0
    ? `${Math.round(levels)}/255`
    : String(Number(eps.toPrecision(4)));
}
