/** @file Cosine annealing of an attack's step lengths (Loshchilov and Hutter 2017, equation 5, without restarts). */

/** Half a cosine wave from `first` at progress 0 to `last` at progress 1. */
export const annealed = (first: number, last: number, progress: number): number =>
  last + ((first - last) * (1 + Math.cos(Math.PI * progress))) / 2;
