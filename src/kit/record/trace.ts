/** @file How an attack on one sample went, in at most a few dozen numbers. */

/** One entry per kept question. null where it is not known: a lead from labels alone, a best before anything was found. */
export interface Trace {
  /** Queries spent, the question included. */
  readonly queries: readonly number[];
  /** How far the goal was at the question's first point: the logits' lead of what must fall (negative once it has fallen). */
  readonly lead: readonly (number | null)[];
  /** Bounded attacks: the smallest lead so far. Minimum-norm attacks: the size of the smallest example so far. */
  readonly best: readonly (number | null)[];
  /** Of attacks that flip values: answers of the model proved that of the example no single flip can be restored. Absent where they did not, e.g. because queries ran out. */
  readonly minimal?: true;
}
