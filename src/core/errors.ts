/**
 * An error the user can mend: one sentence that names the file, node, op or field, and the remedy.
 * The command line prints it without a stack trace and exits with 2; everything else is a bug (exit 1).
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    message: string,
    readonly remedy: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * The entry of `names` a misspelt `name` was probably meant to be: the closest in edits (insert, delete, replace, swap neighbours; case does not
 * count) if no more than two letters in five were wrong, otherwise undefined.
 */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(name.length, 1 + Math.max(1, Math.floor(0.4 * name.length)));
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** For remedies: "did you mean X?" with the nearest name, and the list of what there is. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === undefined ? `one of: ${names.join(', ')}` : `did you mean "${near}"? (one of: ${names.join(', ')})`;
}

/** The thing of that name; throws a UserError with the nearest name where there is none. `what` is what messages call such a thing. */
export function findNamed<T>(what: string, all: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(all, name)) return all[name]!;
  throw new UserError(`there is no ${what} "${name}"`, suggestion(name, Object.keys(all)));
}

/** Optimal string alignment distance: Levenshtein's, with swapped neighbours as one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(substitute, swap, previous[j]! + 1, row[j - 1]! + 1));
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}

/** The runtime refused a graph, or gave up in the middle of a run: its own message, without the places in its source. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';

  constructor(message: string, options?: ErrorOptions) {
    super(message.trim().replaceAll(/\S+\.(?:h|cc|cpp):\d+ [^(\n]*\([^)\n]*\)(?: const)?\s*/g, ''), options);
  }
}

/** Whether a model, or what it was fed, is at fault; anything else is a mistake of ours and must not be taken for an answer. */
export const isRefusal = (error: unknown): error is UserError | RuntimeFailure =>
  error instanceof UserError || error instanceof RuntimeFailure;
