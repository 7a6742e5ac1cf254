/** @file Whose reading of address bits is followed: which way x and y run, which polarity is ON, and what is done with events that are none. */

/**
 * jaer: as the cameras' own software (jAER, cAER) understands its files; what is no event of a pixel is left out.
 * spikingjelly, tonic: as the loaders of those two libraries do, flaws included.
 */
export const conventions = ['jaer', 'spikingjelly', 'tonic'] as const;

export type Convention = (typeof conventions)[number];

export const conventionDefault: Convention = 'jaer';
