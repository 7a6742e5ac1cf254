/** @file The data's labels in terms of the model's classes: by name, ignoring case, or through a map the user gives. */
import { nearest, UserError } from '../../core/errors.ts';

/** The data's label to the model's class, e.g. { Angry: 'angry' }. */
export type LabelMap = Readonly<Record<string, string>>;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Index of the class a label stands for, or undefined: the map first, then an equal name, ignoring case. */
function classOf(label: string, classes: readonly string[], map: LabelMap): number | undefined {
  const name = Object.hasOwn(map, label) ? map[label]! : label;
  const exact = classes.indexOf(name);
  if (exact >= 0) return exact;
  const index = classes.findIndex((c) => same(c, name));
  return index >= 0 ? index : undefined;
}

/**
 * Class index of every label of the data. Throws a UserError that lists the labels without a class beside the classes there are, and for map
 * entries that name no class or no label.
 */
export function classIndices(labels: readonly string[], classes: readonly string[], map: LabelMap = {}): Map<string, number> {
  const [wrong] = Object.entries(map).filter(([, to]) => !classes.some((c) => same(c, to)));
  if (wrong !== undefined) {
    throw new UserError(
      `labels: "${wrong[0]}" is mapped to "${wrong[1]}", which is not a class of the model`,
      `the classes are: ${classes.join(', ')}`,
    );
  }
  const unknown = Object.keys(map).find((from) => !labels.includes(from));
  if (unknown !== undefined) {
    throw new UserError(`labels: "${unknown}" is not a label of the data`, `the data's labels are: ${labels.join(', ')}`);
  }
  const found = labels.map((label) => [label, classOf(label, classes, map)] as const);
  const missing = found.filter(([, index]) => index === undefined).map(([label]) => label);
  if (missing.length > 0) throw unmatched(missing, classes);
  return new Map(found as [string, number][]);
}

/** Class index of one label; throws the same error as classIndices. */
export function classIndex(label: string, classes: readonly string[], map: LabelMap = {}): number {
  const index = classOf(label, classes, map);
  if (index === undefined) throw unmatched([label], classes);
  return index;
}

function unmatched(labels: readonly string[], classes: readonly string[]): UserError {
  const many = labels.length > 1;
  const quoted = labels.map((l) => `"${l}"`).join(', ');
  const entries = labels.map((label) => `${label}: ${nearest(label, classes) ?? 'CLASS'}`).join(', ');
  return new UserError(
    `the data's label${many ? 's' : ''} ${quoted} ${many ? 'are' : 'is'} not among the model's classes: ${classes.join(', ')}`,
    `say which class each stands for, under data: labels: { ${entries} }`,
  );
}
