/** @file Each node against the schema of its operator at the model's version: existence, number of inputs and outputs, attributes, kernels. */
import { nearest } from '../../errors.ts';
import type { LocalFunction } from '../functions.ts';
import { referenceOf } from '../functions.ts';
import type { AttributeProto } from '../generated/onnx-ml_pb.ts';
import { AttributeProto_AttributeType as A } from '../generated/onnx-ml_pb.ts';
import { type Attribute, describeNode, type Node } from '../graph.ts';
import { opsetRange } from '../passes/upgrade.ts';
import { originOf } from '../provenance.ts';
import { type SchemaEntry, schemas } from '../schemas.generated.ts';
import { describeFunction, functionKey, type Place } from './finding.ts';

/** Domains the runtime has operators of, and whose schemas are not known here. */
const unlisted = new Set([
  'ai.onnx.training',
  'ai.onnx.preview',
  'ai.onnx.preview.training',
  'com.microsoft.nchwc',
  'com.microsoft.experimental',
  'com.ms.internal.nhwc',
]);

/** Operators the runtime adds to the default domain. */
const additions = new Set(['SimplifiedLayerNormalization', 'LayerNormalization']);

/** Optional inputs without which the runtime ends the process instead of refusing (each created in a process of its own, onnxruntime 1.30). */
const deadlyIfMissing: Readonly<Record<string, number>> = {
  ConvTransposeWithDynamicPads: 3,
  QLinearLeakyRelu: 5,
  QLinearSigmoid: 5,
};

/** Inputs that may be left out although others after them may not. */
const optionalInputs: Readonly<Record<string, readonly number[]>> = { Loop: [0, 1], Scan: [0] };

/** Operators whose results may be left out anywhere: the form they are run in names them all (control-flow/named-results.ts). */
const namedLater = new Set(['If', 'Loop', 'Scan']);

const successors: Readonly<Record<string, string>> = { Upsample: 'Resize', Scatter: 'ScatterElements' };

/** Checks one node (its subgraphs are walked by the caller). */
export function checkNode(node: Node, place: Place): void {
  const called = place.functions.get(functionKey(node.domain, node.op, node.overload));
  if (called !== undefined) checkCall(node, called, place);
  else {
    const entry = schemaOf(node, place);
    if (entry !== undefined) checkAgainst(node, entry, place);
  }
  checkReferences(node, place);
}

/** The schema that holds for a node, or undefined when it is unknown (reported) or cannot be judged. */
function schemaOf(node: Node, place: Place): SchemaEntry | undefined {
  const where = describeNode(node);
  const table = schemas[node.domain];
  if (table === undefined) {
    const known = unlisted.has(node.domain);
    place.report(
      'unchecked',
      where,
      known
        ? `${where} cannot be checked: the schemas of "${node.domain}" are not known`
        : `${where} cannot be checked or run: the runtime has no operators of the domain "${node.domain}", and the model holds no such function`,
      known ? 'run the model in a child process' : 'export the model with standard operators, or as local functions',
      known ? 'warning' : 'error',
    );
    return undefined;
  }
  const version = versionOf(node.domain, place);
  if (version === undefined) {
    place.report('version', where, `${where}: the model states no operator set for the default domain`, 'export the model again');
    return undefined;
  }
  if (node.domain === '' && (version < opsetRange.lowest || version > opsetRange.highest)) return undefined;
  const history = Object.hasOwn(table, node.op) ? table[node.op]! : [];
  const entry = history.findLast(([since]) => since <= version);
  if (entry !== undefined) return entry;
  if (node.domain === '' && additions.has(node.op)) return undefined;
  const near = nearest(node.op, Object.keys(table));
  if (history.length > 0)
    place.report(
      'operator',
      where,
      `${where}: ${node.op} exists from opset ${history[0]![0]} on, the model states ${version}`,
      `export the model at opset ${history[0]![0]} or newer`,
    );
  else
    place.report(
      'operator',
      where,
      `${where}: the runtime has no operator "${node.op}"${node.domain === '' ? '' : ` in ${node.domain}`}`,
      near === undefined ? 'export the model with standard operators' : `did you mean ${near}?`,
    );
  return undefined;
}

/** A model that uses the runtime's or the ml domain without stating a version gets the newest. */
const versionOf = (domain: string, place: Place): number | undefined =>
  place.opsets.get(domain) ?? (domain === '' ? undefined : Number.MAX_SAFE_INTEGER);

function checkAgainst(node: Node, entry: SchemaEntry, place: Place): void {
  const where = describeNode(node);
  const [since, fewestIn, mostIn, fewestOut, mostOut, attributes, flags = ''] = entry;
  if (flags.includes('d')) {
    const successor = successors[node.op];
    place.report(
      'operator',
      where,
      `${where}: ${node.op} was withdrawn at opset ${since}, and the runtime refuses it`,
      successor === undefined
        ? 'export the model again with a current exporter'
        : `export the model again: ${successor} has replaced it`,
    );
    return;
  }
  if (flags.includes('k'))
    place.report(
      'kernel',
      where,
      `${where}: the runtime has no kernel for version ${since} of ${node.op}`,
      since > 21 ? 'export the model at opset 21 or older' : 'export the model without it',
    );
  const optional = optionalInputs[node.op] ?? [];
  checkCount(node, 'input', node.inputs, fewestIn, mostIn, optional, place);
  const unread = namedLater.has(node.op) ? node.outputs.map((_, i) => i) : [];
  checkCount(node, 'output', node.outputs, fewestOut, mostOut, unread, place);
  const needed = node.domain === 'com.microsoft' ? deadlyIfMissing[node.op] : undefined;
  if (needed !== undefined && node.inputs.length < needed)
    place.report(
      'arity',
      where,
      `${where} leaves out input ${needed}, and the runtime ends the process over it`,
      'give the input (a constant will do)',
    );
  const declared = new Map(attributes.split(' ').flatMap((a) => (a === '' ? [] : [parseDeclared(a)])));
  checkAttributes(node, new Map([...declared].map(([name, { type }]) => [name, type])), place);
  for (const [name, { required }] of declared)
    if (required && !node.attributes.has(name))
      place.report('attribute', where, `${where} lacks the attribute "${name}"`, 'export the model again');
  if (node.op === 'Constant' && node.domain === '' && node.attributes.size !== 1)
    place.report(
      'attribute',
      where,
      `${where} needs exactly one value, it has ${node.attributes.size}`,
      'export the model again',
    );
}

const parseDeclared = (text: string): [string, { type: string; required: boolean }] => {
  const [name = '', type = ''] = text.split(':');
  return [name.replace('!', ''), { type, required: name.endsWith('!') }];
};

function checkCount(
  node: Node,
  kind: 'input' | 'output',
  names: readonly string[],
  fewest: number,
  most: number,
  optional: readonly number[],
  place: Place,
): void {
  const where = describeNode(node);
  if (names.length < fewest || (most >= 0 && names.length > most)) {
    const range = most === fewest ? `${fewest}` : most < 0 ? `${fewest} or more` : `${fewest} to ${most}`;
    place.report('arity', where, `${where} has ${names.length} ${kind}s, ${node.op} takes ${range}`, 'export the model again');
    return;
  }
  const empty = names.findIndex((name, i) => name === '' && i < fewest && !optional.includes(i));
  if (empty >= 0)
    place.report('arity', where, `${where} leaves out ${kind} ${empty + 1}, which ${node.op} needs`, 'export the model again');
}

function checkAttributes(node: Node, declared: ReadonlyMap<string, string>, place: Place): void {
  const where = describeNode(node);
  for (const [name, attribute] of node.attributes) {
    const wanted = declared.get(name);
    if (wanted === undefined) {
      const near = nearest(name, declared.keys());
      place.report(
        'attribute',
        where,
        `${where} has the attribute "${name}", which ${node.op} does not know`,
        near === undefined ? 'remove the attribute' : `did you mean "${near}"?`,
      );
    } else if (typeOf(attribute) !== wanted)
      place.report(
        'attribute',
        where,
        `${where}: the attribute "${name}" is ${typeOf(attribute)}, ${node.op} takes ${wanted}`,
        'export the model again',
      );
  }
}

const protoTypes: Readonly<Partial<Record<A, string>>> = {
  [A.INT]: 'int',
  [A.FLOAT]: 'float',
  [A.STRING]: 'string',
  [A.INTS]: 'ints',
  [A.FLOATS]: 'floats',
  [A.STRINGS]: 'strings',
  [A.TENSOR]: 'tensor',
  [A.GRAPH]: 'graph',
};

/** What the IR holds as opaque may still state its type in the file. */
function typeOf(attribute: Attribute): string {
  if (attribute.type !== 'opaque') return attribute.type;
  const message = originOf<AttributeProto>(attribute);
  if (message?.refAttrName === '' && message.t === undefined && message.g === undefined && message.type in protoTypes)
    return 'empty';
  return (message === undefined ? undefined : protoTypes[message.type]) ?? 'opaque';
}

function checkCall(node: Node, f: LocalFunction, place: Place): void {
  const where = describeNode(node);
  if (!place.opsets.has(node.domain))
    place.report(
      'version',
      where,
      `${where}: the model states no version of the domain "${node.domain}"`,
      'add the domain to the opset imports',
    );
  checkCount(node, 'input', node.inputs, 0, f.inputs.length, [], place);
  checkCount(node, 'output', node.outputs, 0, f.outputs.length, [], place);
  const known = new Set([...f.required, ...f.defaults.keys()]);
  for (const name of node.attributes.keys())
    if (!known.has(name))
      place.report(
        'attribute',
        where,
        `${where} has the attribute "${name}", which the ${describeFunction(f)} does not know`,
        'remove the attribute',
      );
  for (const name of f.required)
    if (!node.attributes.has(name))
      place.report('attribute', where, `${where} lacks the attribute "${name}"`, 'export the model again');
}

/** Attributes may stand for those of the function around them, and nowhere else. */
function checkReferences(node: Node, place: Place): void {
  const where = describeNode(node);
  for (const [name, attribute] of node.attributes) {
    const reference = referenceOf(attribute);
    if (reference === undefined) continue;
    const f = place.inside;
    if (f === undefined)
      place.report(
        'attribute',
        where,
        `${where}: the attribute "${name}" refers to "${reference}" of a function, and stands in none`,
        'give the attribute a value',
      );
    else if (!f.required.includes(reference) && !f.defaults.has(reference))
      place.report(
        'attribute',
        where,
        `${where}: the attribute "${name}" refers to "${reference}", which the ${describeFunction(f)} does not have`,
        'export the model again',
      );
  }
}

/** Whether the first output of a node is a sequence, map or optional whatever it is fed. */
export function isNeverTensor(node: Node, place: Place): boolean {
  const history = schemas[node.domain]?.[node.op] ?? [];
  const entry = history.findLast(([since]) => since <= (versionOf(node.domain, place) ?? 0));
  return entry?.[6]?.includes('s') ?? false;
}
