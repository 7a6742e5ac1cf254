/** @file The defences there are, by name. A new one is one file and one line here. */
import { findNamed } from '../../core/errors.ts';
import type { Defence } from './defence.ts';
import { fgsmRs } from './fgsm-rs.ts';
import { free } from './free.ts';
import { mart } from './mart.ts';
import { pgdAt } from './pgd-at.ts';
import { snnRat } from './snn-rat.ts';
import { trades } from './trades.ts';

export const defences: Readonly<Record<string, Defence>> = {
  'pgd-at': pgdAt,
  trades,
  mart,
  'fgsm-rs': fgsmRs,
  free,
  'snn-rat': snnRat,
};

/** The defence of that name; throws a UserError with the nearest name otherwise. */
export const findDefence = (name: string): Defence => findNamed('defence', defences, name);
