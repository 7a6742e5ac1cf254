/** Sizes of a value as far as they are known: null or a name stands for one that depends on the batch, undefined for a value of unknown rank. */
export type DimsOf = (name: string) => readonly (number | string | null)[] | undefined;
