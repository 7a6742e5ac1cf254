/** @file Which elements of an input belong together: its axes by what lies along them, so that a region or a pixel means something in every modality. */
import { sizeOf } from '../../../core/tensor/tensor.ts';
import type { InputSpec, Modality } from '../../../kit/model/model.ts';

export interface Axis {
  readonly size: number;
  /** Elements between neighbours along it. */
  readonly stride: number;
}

/** The axes of a sample; those of size 1 are left out. Every element has one index along each. */
export interface Field {
  /** Neighbours along these are near each other, so regions are boxes; the axes of one group (H and W) have sides of the same length. */
  readonly extents: readonly (readonly Axis[])[];
  /** Joints and persons: what stands side by side in memory need not be near, so regions take any of them. */
  readonly members: readonly Axis[];
  /** The values at a place. */
  readonly channels: readonly Axis[];
  /** Whether a region may take some of the channels: leads and microphones, not colours. */
  readonly channelsApart: boolean;
  /** Stripes run across this axis and are `stripe` wide; undefined where there is no extent. */
  readonly across: Axis | undefined;
  readonly stripe: number;
}

/** Letters of the channels; undefined where no axis has a meaning. Of a skeleton T is the only extent, of the others every axis but the channels. */
const channelLetters: Readonly<Record<Modality, string | undefined>> = {
  image: 'C',
  video: 'C',
  audio: 'C',
  physiology: 'C',
  skeleton: 'C',
  events: 'CP',
  features: undefined,
};

/** A time stripe is this share of the clip: alternation at every step is noise that a model of a smooth signal filters out. */
const stripes = 32;

/**
 * The axes of an input by modality and layout: image H x W, video T x H x W, events (T,) H x W with C or P as channels, audio and physiology T (and F) with
 * channels apart, skeleton T with V (and M) as members and C as channels. A skeleton without V has its coordinates in one axis: members are groups of 3 of
 * them where their number divides by 3, of 2 where by 2. Features, and inputs whose layout names none of these, are one line of elements.
 */
export function fieldOf(spec: Pick<InputSpec, 'shape' | 'layout' | 'modality'>): Field {
  const letters = [...spec.layout.replace('N', '')];
  const named = letters.map((letter, at) => ({ letter, size: spec.shape[at]!, stride: sizeOf(spec.shape.slice(at + 1)) }));
  const known = channelLetters[spec.modality];
  const skeleton = spec.modality === 'skeleton';
  const signal = spec.modality === 'audio' || spec.modality === 'physiology';
  if (known === undefined || letters.length !== spec.shape.length || (skeleton && !/[TV]/.test(spec.layout)))
    return line(sizeOf(spec.shape));
  const isChannel = ({ letter }: Named): boolean => known.includes(letter) || (skeleton && letter === 'F');
  const isExtent = (axis: Named): boolean => !isChannel(axis) && (!skeleton || axis.letter === 'T');
  const wide = named.filter(({ size }) => size > 1);
  const places = wide.filter((axis) => !isChannel(axis));
  const values = wide.filter(isChannel);
  const split = skeleton && !spec.layout.includes('V') ? values.map(intoGroups) : [];
  const extents = places.filter(isExtent);
  if (extents.length === 0 && places.length === 0 && split.length === 0) return line(sizeOf(spec.shape));
  const plane = extents.filter(({ letter }) => 'HW'.includes(letter));
  const across = extents.find(({ letter }) => letter === 'W') ?? extents.at(-1);
  return {
    extents: [...extents.filter((axis) => !plane.includes(axis)).map((axis) => [axis]), ...(plane.length > 0 ? [plane] : [])],
    members: [...places.filter((axis) => !isExtent(axis)), ...split.map(({ members }) => members)].filter(({ size }) => size > 1),
    channels: split.length > 0 ? split.map(({ channels }) => channels).filter(({ size }) => size > 1) : values,
    channelsApart: signal,
    across,
    stripe: across?.letter === 'T' ? Math.max(1, Math.round(across.size / stripes)) : 1,
  };
}

interface Named extends Axis {
  readonly letter: string;
}

const line = (size: number): Field => {
  const axis = { size, stride: 1 };
  return { extents: [[axis]], members: [], channels: [], channelsApart: false, across: axis, stripe: 1 };
};

function intoGroups({ size, stride }: Axis): { members: Axis; channels: Axis } {
  const group = size % 3 === 0 ? 3 : size % 2 === 0 ? 2 : 1;
  return { members: { size: size / group, stride: group * stride }, channels: { size: group, stride } };
}

/** Offsets along an axis: of `count` indices from `from`. */
export const offsets = ({ stride }: Axis, from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (from + i) * stride);

/** Offsets of all indices along an axis. */
export const whole = (axis: Axis): number[] => offsets(axis, 0, axis.size);

/** Every sum of one number from each list, the last list's numbers varying fastest. */
export function sums(lists: readonly (readonly number[])[]): Int32Array {
  const all = new Int32Array(lists.reduce((product, list) => product * list.length, 1));
  let filled = 1;
  for (const list of lists) {
    // from the back, so that what is read is not yet overwritten
    for (let k = filled - 1; k >= 0; k--) {
      const base = all[k]!;
      for (let j = list.length - 1; j >= 0; j--) all[k * list.length + j] = base + list[j]!;
    }
    filled *= list.length;
  }
  return all;
}
