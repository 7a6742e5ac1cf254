/** @file provoke/defences: training that withstands attacks, its contract and its registry. */
export type { Defence, Defended, Threats } from './defence.ts';
export { fgsmRs } from './fgsm-rs.ts';
export { free } from './free.ts';
export { mart } from './mart.ts';
export { pgdAt } from './pgd-at.ts';
export { defences, findDefence } from './registry.ts';
export { snnRat } from './snn-rat.ts';
export { trades } from './trades.ts';
