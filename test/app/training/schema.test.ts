import { expect, it } from 'vitest';
import { z } from 'zod';
import { recipeSchema } from '../../../src/app/training/schema.ts';

it('the schema of recipes says what every field means, for editors', () => {
  const { properties } = z.toJSONSchema(recipeSchema, { io: 'input' }) as {
    properties: Record<string, { description?: string }>;
  };
  const silent = Object.entries(properties).filter(([, { description = '' }]) => description.length < 10);
  expect(silent.map(([name]) => name)).toEqual([]);
});
