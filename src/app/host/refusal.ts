/** @file What the runtime says against a model, or how a model's process ended, as an error the user can act on. */
import { RuntimeFailure, UserError } from '../../core/errors.ts';
import type { ModelReference } from '../experiment/schema.ts';
import { nameOf } from './model-name.ts';
import { ChildDied } from './pool.ts';

/** The error to show for one met while a model was opened; anything else is returned as it is. */
export function refusalOf(error: unknown, reference: ModelReference): unknown {
  if (error instanceof ChildDied)
    return new UserError(`the model "${nameOf(reference)}" cannot be opened: ${error.message}`, error.remedy, { cause: error });
  if (error instanceof RuntimeFailure)
    return new UserError(
      `the runtime cannot run the model "${nameOf(reference)}": ${error.message}`,
      'check the file with `provoke validate`, or export it again at another opset',
      { cause: error },
    );
  return error;
}
