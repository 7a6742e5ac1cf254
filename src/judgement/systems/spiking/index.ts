/** @file The spiking system: the parts a study of it may have. A new part is one file and one line here. */
import { ablations } from './ablations.ts';
import { hardened } from './hardened.ts';
import { hiddenSurrogate } from './hidden-surrogate.ts';
import { sparse } from './sparse.ts';

export const parts = {
  [hiddenSurrogate.name]: hiddenSurrogate,
  [sparse.name]: sparse,
  [ablations.name]: ablations,
  [hardened.name]: hardened,
} as const;
