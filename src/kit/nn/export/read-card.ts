/** @file What a model card says, read back: the recipe to train the same weights again, and where the model comes from. */
import { parse } from 'yaml';
import { UserError } from '../../../core/errors.ts';
import { cardFormat } from './card.ts';
import { type Provenance, provenanceSchema, type RecipeObject } from './provenance.ts';

export interface Card {
  /** As a recipe file would have it. */
  readonly recipe: RecipeObject;
  readonly provenance: Provenance;
}

const remedy = 'give a card that provoke wrote, with its front matter (between two lines of ---)';

/** Whether a text is a model card rather than a recipe. */
export const isCard = (text: string): boolean => {
  const front = frontOf(text);
  return front !== undefined && /^format:\s*["']?provoke-model-card\b/m.test(front);
};

/** Reads a card. `source` is what errors call it. Throws a UserError that names the field. */
export function readCard(text: string, source = 'the model card'): Card {
  const front = frontOf(text);
  if (front === undefined) throw new UserError(`${source} has no front matter`, remedy);
  let content: unknown;
  try {
    content = parse(front);
  } catch (cause) {
    throw new UserError(`${source}: the front matter is not YAML: ${(cause as Error).message}`, 'mend the syntax', { cause });
  }
  if (!isObject(content) || content.format !== cardFormat.format)
    throw new UserError(`${source} is not a model card of provoke`, remedy);
  if (content.version !== cardFormat.version)
    throw new UserError(
      `${source} is a card of version ${content.version}, this provoke reads version ${cardFormat.version}`,
      'use the provoke that wrote it',
    );
  const { recipe } = content;
  if (!isObject(recipe)) throw new UserError(`${source}: recipe: the card holds no recipe`, remedy);
  const result = provenanceSchema.safeParse(content);
  if (result.success) return { recipe, provenance: result.data };
  const issue = result.error.issues[0]!;
  throw new UserError(`${source}: ${issue.path.map(String).join('.')}: ${issue.message}`, remedy);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function frontOf(text: string): string | undefined {
  return /^\uFEFF?---\r?\n([\s\S]*?\r?\n)---[ \t]*(?:\r?\n|$)/.exec(text)?.[1];
}
