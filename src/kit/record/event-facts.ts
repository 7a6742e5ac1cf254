/** What an example does to an input made of events. Figures of places are those of kit/metrics/flips.ts. */
export interface EventFacts {
  /** Values of the frames that became 1, and that became 0. */
  readonly pixelsAdded: number;
  readonly pixelsDeleted: number;
  /** Of the recording behind them, as saved and read back; null where the data came as frames. */
  readonly eventsAdded: number | null;
  readonly eventsRemoved: number | null;
  /**
   * Whether the saved recording still fools the model when it is cut anew by number, without the windows of the clean one; null where the data are not cut
   * by number, or came as frames.
   */
  readonly rebinned: boolean | null;
  readonly timeClustering: number | null;
  readonly nearestNeighbour: number | null;
  readonly besideEvents: number | null;
}

export const eventFigures = [
  'pixelsAdded',
  'pixelsDeleted',
  'eventsAdded',
  'eventsRemoved',
  'timeClustering',
  'nearestNeighbour',
  'besideEvents',
] as const satisfies readonly (keyof EventFacts)[];

/** What one attack's successes at one budget do to inputs made of events. */
export interface EventSummary {
  /** Successes whose recording could be cut anew by number. */
  readonly rebinnable: number;
  /** Those of them that still fool the model. */
  readonly rebinned: number;
  /** rebinned / rebinnable with its Wilson 95 % interval; null where there are none. */
  readonly rebinnedRate: number | null;
  readonly rebinnedInterval: readonly [number, number] | null;
  /** Over successes and inputs; null where no success has the figure. */
  readonly medians: Readonly<Record<(typeof eventFigures)[number], number | null>>;
}
