/** @file Splits questions into groups that fit into memory together. */

/** The items in order, in groups whose sizes add up to no more than `room`; an item larger than that is a group of its own. */
export function slices<T>(items: readonly T[], sizeOf: (item: T) => number, room: number): T[][] {
  const groups: T[][] = [];
  let left = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (groups.length === 0 || size > left) {
      groups.push([]);
      left = room;
    }
    groups.at(-1)!.push(item);
    left -= size;
  }
  return groups;
}
