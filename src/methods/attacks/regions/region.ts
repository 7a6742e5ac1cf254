/** @file Random regions of an input: a box along its extents, some of its members, all or some of its channels. */
import type { Stream } from '../../../core/tensor/random.ts';
import { type Axis, type Field, offsets, sums, whole } from './field.ts';

/** The elements columns[a] + cells[b]: a column is one channel of one member, its cells are a box, the last extent varying fastest. */
export interface Region {
  readonly columns: Int32Array;
  readonly cells: Int32Array;
  /** Of the box, one per extent in the field's order. */
  readonly sides: readonly number[];
}

export interface DrawOptions {
  /** Least length of a side, where the axis has room. */
  readonly least: number;
  /** Sides are odd, where the axis has room. */
  readonly odd: boolean;
  /** floor(U (size - side)) instead of any place that fits: the last row and column are never covered. */
  readonly short: boolean;
}

/**
 * A region of about `share` of the input, equally scarce along every free axis: of a plane a square of share h w cells, clipped to the shorter side.
 * Where channels are apart, half of the regions take all of them and half a share.
 */
export function drawRegion(field: Field, share: number, random: Stream, options: DrawOptions): Region {
  const { extents, members, channels, channelsApart } = field;
  const someChannels = channelsApart && channels.length > 0 && random.uniform() < 0.5;
  const chosen = someChannels ? [...members, ...channels] : members;
  const free = extents.reduce((sum, group) => sum + group.length, 0) + chosen.length;
  const columns = sums([
    ...chosen.map((axis) => subset(axis, Math.round(axis.size * share ** (1 / free)), random)),
    ...(someChannels ? [] : channels.map(whole)),
  ]);
  const sides = extents.flatMap((group) => group.map(() => sideOf(group, share ** (group.length / free), options)));
  return { columns, sides, cells: drawCells(field, sides, random, options) };
}

/** The cells of a box with these sides, anywhere. */
export function drawCells({ extents }: Field, sides: readonly number[], random: Stream, { short }: DrawOptions): Int32Array {
  return boxAt(
    extents.flat().map((axis, k) => {
      const room = axis.size - sides[k]!;
      return { axis, side: sides[k]!, at: short ? Math.floor(random.uniform() * room) : random.integer(room + 1) };
    }),
  );
}

export interface Stretch {
  readonly axis: Axis;
  readonly at: number;
  readonly side: number;
}

/** The cells of a box from where it lies along every extent. */
export const boxAt = (stretches: readonly Stretch[]): Int32Array =>
  sums(stretches.map(({ axis, at, side }) => offsets(axis, at, side)));

/** The columns of the whole input. */
export const allColumns = ({ members, channels }: Field): Int32Array => sums([...members, ...channels].map(whole));

function sideOf(group: readonly Axis[], share: number, { least, odd }: DrawOptions): number {
  const volume = group.reduce((product, { size }) => product * size, 1);
  const side = Math.max(least, Math.round((share * volume) ** (1 / group.length)));
  return Math.min(odd && side % 2 === 0 ? side + 1 : side, ...group.map(({ size }) => size));
}

/** Offsets of `count` different indices (at least one) along an axis. */
function subset(axis: Axis, count: number, random: Stream): number[] {
  const all = whole(axis);
  const most = Math.min(axis.size, Math.max(1, count));
  if (most === axis.size) return all;
  for (let k = 0; k < most; k++) {
    const other = k + random.integer(all.length - k);
    const taken = all[other]!;
    all[other] = all[k]!;
    all[k] = taken;
  }
  return all.slice(0, most);
}

/** Boxes side by side that cover the input but for a rim, about five along each axis of a group's shorter side. */
export function tiles(field: Field): { readonly boxes: readonly Int32Array[]; readonly sides: readonly number[] } {
  const rows = field.extents.flatMap((group) => {
    const side = Math.max(1, Math.floor(Math.min(...group.map(({ size }) => size)) / 5));
    return group.map((axis): Stretch[] => {
      const count = Math.floor(axis.size / side);
      const rim = Math.floor((axis.size - count * side) / 2);
      return Array.from({ length: count }, (_, k) => ({ axis, side, at: rim + k * side }));
    });
  });
  const combined = rows.reduce<Stretch[][]>((all, row) => all.flatMap((before) => row.map((next) => [...before, next])), [[]]);
  return { boxes: combined.map(boxAt), sides: rows.map((row) => row[0]!.side) };
}
