/** @file Recipe text, or what a model card holds of one, to a checked recipe. */
import { isMap, parseDocument, stringify } from 'yaml';
import type { Provenance } from '../../kit/nn/export/provenance.ts';
import { isCard, readCard } from '../../kit/nn/export/read-card.ts';
import { type Document, type DocumentWords, readDocument } from '../document.ts';
import { fileName } from '../experiment/schema.ts';
import { type Recipe, recipeSchema } from './schema.ts';

const words: DocumentWords = {
  isMap: 'a recipe is a map with model, inputs, classes, data, epochs and batch',
  start: 'start from a recipe of docs/training.md',
  see: 'see docs/training.md for complete recipes, or `provoke validate --schema recipe`',
  page: 'docs/training.md',
};

export interface ParsedRecipe extends Document<Recipe> {
  /** What the card says besides the recipe, where a card was given. */
  readonly card?: Provenance;
}

/** Parses and checks a recipe file (YAML, of which JSON is a part) or a model card. Throws a UserError with line and column, or with the field of the card. */
export function parseRecipe(text: string, source: string): ParsedRecipe {
  if (!isCard(text)) return readDocument(recipeSchema, text, source, words);
  const { recipe, provenance } = readCard(text, source);
  // lines of the recipe inside a card are no lines of the file: places are given by field
  // a recipe file may be called what no recipe may: such a name stays with its file
  const named = fileName.safeParse(provenance.name).success ? { name: provenance.name } : {};
  const { value } = readDocument(recipeSchema, stringify({ ...named, ...recipe }), `the recipe in ${source}`, words);
  return {
    value,
    card: provenance,
    where: (path) => `${source}: ${path.length === 0 ? '' : `recipe.${path.map(String).join('.')}: `}`,
  };
}

/** Whether a text is meant as a recipe rather than an experiment: a card, or a map that names epochs or classes and no attacks. */
export function isRecipe(text: string): boolean {
  if (isCard(text)) return true;
  const { contents } = parseDocument(text);
  return isMap(contents) && !contents.has('attacks') && (contents.has('epochs') || contents.has('classes'));
}
