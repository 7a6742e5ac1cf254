import { expect, it } from 'vitest';
import { table } from '../../../src/app/cli/table.ts';

it('sets columns of numbers flush right, also where a rate is only bounded or missing', () => {
  const rows = [
    ['attack', 'rate'],
    ['pgd', '45.7%'],
    ['noise', '<0.1%'],
    ['fab', '—'],
  ];
  expect(table(rows).split('\n')).toEqual(['attack   rate', 'pgd     45.7%', 'noise   <0.1%', 'fab         —']);
});
