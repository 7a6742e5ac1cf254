/** @file Apart from models.ts, so that who only names a model does not load the engine. */
import type { ModelReference } from '../experiment/schema.ts';

/** What errors call a model. */
export const nameOf = (reference: ModelReference): string => ('path' in reference ? reference.path : reference.use);
