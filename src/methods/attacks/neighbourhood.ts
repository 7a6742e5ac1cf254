/** @file The elements near events: at most so many places away in time and along both sides of a frame, of either polarity. */
import type { InputSpec } from '../../kit/model/model.ts';

/** Axes along which elements have neighbours; along the others (polarity, channels, features) every element is near every other. */
const placed = /[TDHW]/;

/** 1 where an element has an event (marked 1) within `radius` along every placed axis. */
export function nearTo(events: Uint8Array, { shape, layout }: Pick<InputSpec, 'shape' | 'layout'>, radius: number): Uint8Array {
  const letters = [...layout.replace('N', '')];
  let near = events;
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    near = spread(near, { size, inner, reach: placed.test(letters[axis] ?? '') ? radius : size });
    inner *= size;
  }
  return near;
}

/** Marks what lies within `reach` of a mark along one axis. */
function spread(
  marks: Uint8Array,
  { size, inner, reach }: { readonly size: number; readonly inner: number; readonly reach: number },
): Uint8Array {
  const near = new Uint8Array(marks.length);
  for (let from = 0; from < marks.length; from += size * inner) {
    for (let offset = 0; offset < inner; offset++) {
      const at = (place: number): number => from + place * inner + offset;
      let last = Number.NEGATIVE_INFINITY;
      for (let place = 0; place < size; place++) {
        if (marks[at(place)] === 1) last = place;
        if (place - last <= reach) near[at(place)] = 1;
      }
      last = Number.POSITIVE_INFINITY;
      for (let place = size - 1; place >= 0; place--) {
        if (marks[at(place)] === 1) last = place;
        if (last - place <= reach) near[at(place)] = 1;
      }
    }
  }
  return near;
}
