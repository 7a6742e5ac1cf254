/** @file What would make the runtime refuse a model, or end the process, told before the runtime sees it. */
import { UserError } from '../errors.ts';
import { functionsOf, type LocalFunction } from './functions.ts';
import type { Graph, Node } from './graph.ts';
import { opsetRange } from './passes/upgrade.ts';
import { checkEllipses } from './validation/ellipses.ts';
import { describeFunction, type Finding, functionKey, type Place, subgraphsOf } from './validation/finding.ts';
import { checkFunctionNames, checkNames } from './validation/names.ts';
import { checkNode } from './validation/operators.ts';
import { checkNodeTypes, checkTypes } from './validation/types.ts';

export type { Finding } from './validation/finding.ts';

/** The newest file format (IR version) and ai.onnx.ml operator set the runtime can be given (measured with onnxruntime 1.30). */
export const newest = { ir: 13, ml: 5 } as const;

export interface ValidateOptions {
  /** How errors name the file. */
  source?: string;
}

/** Everything found wrong with a model, in the order of the file; never throws. Empty: the runtime has no formal reason to refuse it. */
export function validate(graph: Graph, options: ValidateOptions = {}): Finding[] {
  const findings: Finding[] = [];
  const report: Place['report'] = (check, where, message, remedy, severity = 'error') => {
    findings.push({ severity, check, where, message, remedy });
  };
  const functions = readFunctions(graph, options.source ?? 'the model', report);
  const place: Place = {
    opsets: new Map([...graph.opsets].map(([domain, version]) => [domain === 'ai.onnx' ? '' : domain, version])),
    functions: new Map(functions.map((f) => [functionKey(f.domain, f.name, f.overload), f])),
    inside: undefined,
    report,
  };
  checkVersions(graph, place);
  checkNames(graph, place);
  checkOperators(graph.nodes, place);
  checkTypes(graph, place);
  checkEllipses(graph, place);
  for (const f of functions) checkFunction(f, place);
  checkRecursion(functions, place);
  return findings;
}

/** Throws one UserError that lists the first errors `validate` finds, with their remedies; warnings pass. */
export function assertValid(graph: Graph, source = 'the model'): void {
  const errors = validate(graph, { source }).filter((f) => f.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1) throw new UserError(`${source} cannot be run: ${first.message}`, first.remedy);
  const shown = errors.slice(0, defaults.shown).map((f) => `\n- ${f.message} (${f.remedy})`);
  const more = errors.length > shown.length ? `\n- and ${errors.length - shown.length} more` : '';
  throw new UserError(
    `${source} cannot be run, for ${errors.length} reasons:${shown.join('')}${more}`,
    'mend these, or export the model again',
  );
}

/** How many problems one error lists. */
export const defaults = { shown: 5 } as const;

function readFunctions(graph: Graph, source: string, report: Place['report']): readonly LocalFunction[] {
  try {
    return functionsOf(graph, source);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report('function', 'functions', error.message, error.remedy);
    return [];
  }
}

function checkVersions(graph: Graph, { opsets, report }: Place): void {
  if (graph.irVersion > newest.ir)
    report(
      'version',
      'IR version',
      `the file format is IR version ${graph.irVersion}, the runtime reads up to ${newest.ir}`,
      'save the model with an older ONNX, or lower its ir_version',
    );
  if (graph.irVersion < 1)
    report('version', 'IR version', 'the file states no IR version', 'the file is damaged: export the model again');
  const ml = opsets.get('ai.onnx.ml');
  if (ml !== undefined && ml > newest.ml)
    report(
      'version',
      'ai.onnx.ml',
      `the model needs ai.onnx.ml ${ml}, the runtime has up to ${newest.ml}`,
      `export the model at ai.onnx.ml ${newest.ml}`,
    );
  checkOpset(opsets.get(''), 'the model', report);
}

function checkOpset(version: number | undefined, what: string, report: Place['report']): void {
  const { lowest, highest } = opsetRange;
  if (version === undefined || (version >= lowest && version <= highest)) return;
  report(
    'version',
    'opset',
    `${what} is written for opset ${version}, the runtime runs ${lowest} to ${highest}`,
    version < lowest
      ? 'convert it with onnx.version_converter, or export it again'
      : `export the model at opset ${highest} or older`,
  );
}

function checkOperators(nodes: readonly Node[], place: Place): void {
  for (const node of nodes) {
    checkNode(node, place);
    for (const subgraph of subgraphsOf(node)) checkOperators(subgraph.nodes, place);
  }
}

function checkFunction(f: LocalFunction, around: Place): void {
  const place: Place = { ...around, opsets: new Map([...around.opsets, ...f.opsets]), inside: f };
  checkOpset(f.opsets.get(''), `the ${describeFunction(f)}`, place.report);
  checkFunctionNames(f, `the ${describeFunction(f)}`, place);
  checkOperators(f.nodes, place);
  checkNodeTypes(f.nodes, place);
}

/** A function may not call itself, not even through others. */
function checkRecursion(functions: readonly LocalFunction[], { functions: byKey, report }: Place): void {
  const calls = (nodes: readonly Node[]): LocalFunction[] =>
    nodes.flatMap((n) => {
      const called = [...byKey.values()].filter(
        (f) => f.domain === n.domain && f.name === n.op && f.overload === (n.overload ?? ''),
      );
      return [...called, ...subgraphsOf(n).flatMap((g) => calls(g.nodes))];
    });
  for (const f of functions) {
    const reached = new Set<LocalFunction>();
    const open = calls(f.nodes);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...calls(next.nodes));
    }
    if (reached.has(f))
      report('function', f.name, `the ${describeFunction(f)} calls itself`, 'write recurrence with Loop or Scan');
  }
}
