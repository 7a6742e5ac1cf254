/** @file The refusal of data of which nothing can be used. */
import { UserError } from '../../core/errors.ts';
import type { Problem } from './source.ts';

/** Names the data and their first problem, with that one's remedy. */
export function noneUsable(name: string, problems: readonly Problem[]): UserError {
  const [first] = problems;
  return first === undefined
    ? new UserError(`${name} holds no samples`, 'name others under `data:`')
    : new UserError(
        `none of the ${problems.length} samples of ${name} can be used; the first: ${first.item}: ${first.reason}`,
        first.remedy ?? 'mend the data, or name others under `data:`',
      );
}
