/** @file Which nodes keep time steps apart. A node without a rule joins what it reads. */
import type { Node } from '../../graph.ts';
import { pointwise } from './pointwise.ts';
import { reshaping } from './reshaping.ts';
import type { Rule } from './rule.ts';
import { views } from './views.ts';

const rules: Readonly<Record<string, Rule>> = { ...pointwise, ...reshaping, ...views };

export const ruleOf = ({ op, domain }: Node): Rule | undefined =>
  domain === '' && Object.hasOwn(rules, op) ? rules[op] : undefined;
