/** @file What several families ask of their options. */

/** Complaint about an option that must be a whole number of at least `from`, or undefined. */
export const countComplaint = (name: string, value: number, from = 1): string | undefined =>
  Number.isInteger(value) && value >= from ? undefined : `${name} must be a whole number of at least ${from}, not ${value}`;

/** Complaint about an option that must be a share to drop, or undefined. */
export const shareComplaint = (name: string, value: number): string | undefined =>
  value >= 0 && value < 1 ? undefined : `${name} must be at least 0 and below 1, not ${value}`;

/** Complaint about an option that must be one of these words, or undefined. */
export const wordComplaint = (name: string, value: string, words: readonly string[]): string | undefined =>
  words.includes(value) ? undefined : `${name} must be one of ${words.join(', ')}, not "${value}"`;
