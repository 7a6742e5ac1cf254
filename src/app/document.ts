/** @file Text a user wrote (YAML, of which JSON is a part) to a checked value: every complaint names the file, the line and column, and what to write instead. */
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { suggestion, UserError } from '../core/errors.ts';

/** How complaints about one kind of file are worded. */
export interface DocumentWords {
  /** What stands where something else than a map was written, e.g. "an experiment is a map with model and data". */
  readonly isMap: string;
  /** How to begin one. */
  readonly start: string;
  /** Where a complete one is described. */
  readonly see: string;
  /** The page of the manual. */
  readonly page: string;
}

export interface Document<T> {
  readonly value: T;
  /** The place of a field in front of a message: "FILE:LINE:COLUMN: path.to.field: ". */
  where(path: readonly PropertyKey[]): string;
}

/** What to throw where an error belongs to a place (`where`): one for users begins with it, any other stays as it is. */
export const inPlace = (place: string, error: unknown): unknown =>
  error instanceof UserError ? new UserError(`${place}${error.message}`, error.remedy, { cause: error }) : error;

/** Parses and checks text against a schema. Throws a UserError with line and column. */
export function readDocument<S extends z.ZodType>(
  schema: S,
  text: string,
  source: string,
  words: DocumentWords,
): Document<z.infer<S>> {
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
  const { contents } = document;
  if (!isMap(contents)) throw new UserError(`${source}: ${words.isMap}`, words.start);
  const where = (path: readonly PropertyKey[]): string => {
    const { line, col } = lines.linePos(positionOf(contents, path));
    return `${source}:${line}:${col}: ${path.length === 0 ? '' : `${path.map(String).join('.')}: `}`;
  };
  const result = schema.safeParse(document.toJS());
  if (result.success) return { value: result.data, where };
  const { path, message, remedy } = explain(foremost(result.error.issues), schema, words);
  throw new UserError(`${where(path)}${message}`, remedy);
}

interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

type Issue = z.core.$ZodIssue;

/** A misspelt key is behind the complaint that another is missing. */
const foremost = (issues: readonly Issue[]): Issue => issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]!;

function explain(issue: Issue, schema: z.core.$ZodType, words: DocumentWords): Complaint {
  if (issue.code === 'invalid_union') return explainUnion(issue, schema, words);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    return {
      path: [...issue.path, key],
      message: `unknown key "${key}"`,
      remedy: suggestion(key, keysAt(schema, issue.path)),
    };
  }
  const missing = issue.code === 'invalid_type' && /received undefined$/.test(issue.message);
  return { path: issue.path, message: missing ? 'is missing' : lowerFirst(issue.message), remedy: words.see };
}

/** Of a union's branches, the one the user most likely meant: the one with the fewest complaints, then the deepest. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  schema: z.core.$ZodType,
  words: DocumentWords,
): Complaint {
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const depth = (branch: readonly Issue[]) =>
    Math.max(...branch.map((i) => i.path.length + (i.code === 'unrecognized_keys' ? 1 : 0)));
  const best = [...branches].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (best === undefined) return { path: issue.path, message: 'not one of the forms allowed here', remedy: `see ${words.page}` };
  const inner = best.find((i) => i.code === 'unrecognized_keys') ?? best[0]!;
  const complaint = explain(inner, schema, words);
  const path = [...issue.path, ...complaint.path];
  return inner.code === 'unrecognized_keys'
    ? { ...complaint, path, remedy: suggestion(inner.keys[0]!, keysAt(schema, [...issue.path, ...inner.path])) }
    : { ...complaint, path };
}

/** Keys the document may have at a path, over all branches of unions there. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [schema];
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
