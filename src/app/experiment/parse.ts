/** @file Experiment text to a checked experiment: every complaint names the file, the line and column, and what to write instead. */
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { suggestion, UserError } from '../../core/errors.ts';
import { type ExperimentFile, experimentSchema } from './schema.ts';

/** Parses and checks an experiment file (YAML, of which JSON is a part). Throws a UserError with line and column. */
export function parseExperiment(text: string, source: string): ExperimentFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new UserError(
      `${source}:${line}:${col}: this is not valid YAML: ${syntax.message}`,
      'mend the line; indentation counts, and strings with ": " need quotes',
    );
  }
  if (!isMap(document.contents)) {
    throw new UserError(
      `${source}: an experiment is a map with model, data, threat and attacks`,
      'start from `provoke init MODEL DATA`',
    );
  }
  const result = experimentSchema.safeParse(document.toJS());
  if (result.success) return result.data;
  const { path, message, remedy } = explain(result.error.issues[0]!, document.toJS());
  const at = positionOf(document.contents, path);
  const { line, col } = lines.linePos(at);
  const field = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
  throw new UserError(`${source}:${line}:${col}: ${field}${message}`, remedy);
}

interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, value: unknown): Complaint {
  if (issue.code === 'invalid_union') return explainUnion(issue, value);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    return { path: [...issue.path, key], message: `unknown key "${key}"`, remedy: suggestion(key, keysAt(issue.path)) };
  }
  return {
    path: issue.path,
    message: lowerFirst(issue.message),
    remedy: 'see `provoke init` for a complete example, and docs/experiment.md',
  };
}

/** Of a union's branches, the one the user most likely meant: the one with the fewest complaints, then the deepest. */
function explainUnion(issue: Extract<Issue, { code: 'invalid_union' }>, value: unknown): Complaint {
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const depth = (branch: readonly Issue[]) =>
    Math.max(...branch.map((i) => i.path.length + (i.code === 'unrecognized_keys' ? 1 : 0)));
  const best = [...branches].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (best === undefined)
    return { path: issue.path, message: 'not one of the forms allowed here', remedy: 'see docs/experiment.md' };
  const inner = best.find((i) => i.code === 'unrecognized_keys') ?? best[0]!;
  const complaint = explain(inner, value);
  return inner.code === 'unrecognized_keys'
    ? { ...complaint, path: [...issue.path, ...complaint.path], remedy: suggestion(inner.keys[0]!, keysAt(issue.path)) }
    : { ...complaint, path: [...issue.path, ...complaint.path] };
}

/** Keys an experiment may have at a path, over all branches of unions there. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [experimentSchema];
  for (const step of path) schemas = schemas.flatMap(unwrap).flatMap((s) => childrenOf(s, step));
  return [...new Set(schemas.flatMap(unwrap).flatMap((s) => Object.keys(shapeOf(s))))];
}

const definition = (schema: z.core.$ZodType) => (schema as z.core.$ZodTypes)._zod.def;

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def = definition(schema);
  if (def.type === 'union') return def.options.flatMap(unwrap);
  if (def.type === 'optional' || def.type === 'default') return unwrap(def.innerType);
  return [schema];
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const def = definition(schema);
  return def.type === 'object' ? def.shape : {};
}

function childrenOf(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  const def = definition(schema);
  if (def.type === 'array') return [def.element];
  if (def.type === 'record') return [def.valueType];
  const child = shapeOf(schema)[String(step)];
  return child === undefined ? [] : [child];
}

/** Offset in the text of the deepest node on the path. */
function positionOf(contents: Node, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = contents.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (node !== null && typeof node === 'object' && 'items' in node) {
      node = (node.items as unknown[])[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
