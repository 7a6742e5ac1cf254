/** @file The search for the constant c that weighs reaching the goal against the size of the change (Carlini and Wagner 2017, section V.A). */

export interface ConstantSearch {
  /** The constant to try now. */
  readonly c: number;
  /** What came of it. */
  tried(found: boolean): void;
}

/** Above it no constant counts as an upper end: the search multiplies by ten until one has been found. */
const most = 1e10;

/** Ten times the constant until an example is found, then halves of the interval; a search of ten tries or more ends at its upper end, as the authors' code does. */
export function constantSearch(first: number, searches: number): ConstantSearch {
  let [c, low, high, tries] = [first, 0, most, 0];
  return {
    get c() {
      return c;
    },
    tried(found) {
      tries++;
      if (found) high = Math.min(high, c);
      else low = Math.max(low, c);
      if (high < most) c = (low + high) / 2;
      else if (!found) c = Math.min(most, c * 10);
      if (searches >= 10 && tries === searches - 1) c = high;
    },
  };
}
