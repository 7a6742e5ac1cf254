/** Rows as aligned columns; numbers-like cells are right-aligned. The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((r) => r.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((r) => (r[c] ?? '').length)));
  const numeric = Array.from({ length: columns }, (_, c) =>
    rows.slice(1).every((r) => /^[\d.,%+\-–—<>\s/[\]e]*$/.test(r[c] ?? '')),
  );
  return rows
    .map((row) =>
      row
        .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
