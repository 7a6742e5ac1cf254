/** @file The commands of `provoke`, in the order of its help. A new one is a file here and a line below. */
import type { Register } from '../register.ts';

/** By the name in the command line; a command is loaded when it is asked for, so that it starts without waiting for all others. */
export const commands: Readonly<Record<string, () => Promise<Register>>> = {
  init: async () => (await import('./init.ts')).init,
  run: async () => (await import('./run.ts')).run,
  predict: async () => (await import('./predict.ts')).predict,
  attack: async () => (await import('./attack.ts')).attack,
  inspect: async () => (await import('./inspect.ts')).inspect,
  gradient: async () => (await import('./gradient.ts')).gradient,
  convert: async () => (await import('./convert.ts')).convert,
  validate: async () => (await import('./validate.ts')).validate,
  export: async () => (await import('./export.ts')).exportRun,
  study: async () => (await import('./study.ts')).study,
  compare: async () => (await import('./compare.ts')).compare,
  synth: async () => (await import('./synth.ts')).synth,
  train: async () => (await import('./train.ts')).train,
  list: async () => (await import('./list.ts')).list,
  view: async () => (await import('./view.ts')).view,
};
