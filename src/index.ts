/** @file `provoke`: everything below the command line in one import; `provoke/core`, `provoke/kit` and `provoke/attacks` are its parts. */
export * from './core/index.ts';
export * from './kit/index.ts';
export * from './methods/attacks/index.ts';
