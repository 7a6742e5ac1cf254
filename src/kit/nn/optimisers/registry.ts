/** @file The optimisers a recipe can name. A new one is a file beside this one and a line here. */
import { findNamed } from '../../../core/errors.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import type { Optimiser } from './optimiser.ts';
import { sgd } from './sgd.ts';

export const optimisers: Readonly<Record<string, Optimiser>> = { sgd, adam, adamw };

/** The optimiser of this name; throws a UserError that says which was probably meant. */
export const findOptimiser = (name: string): Optimiser => findNamed('optimiser', optimisers, name);
