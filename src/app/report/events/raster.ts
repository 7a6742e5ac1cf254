/** @file Height over time: every event of a recording, and those an attack put in or took out. */
import { exchanged } from '../../../kit/data/events/exchanged.ts';
import type { EventClip, EventStream } from '../../../kit/data/events/stream.ts';
import { html, type Markup } from '../html.ts';
import { indexedPng } from '../indexed-png.ts';
import { pngUri } from '../pictures.ts';
import { canvas, fill, ink, palette, ring, side } from './ink.ts';

/** Pixels along time. */
const across = 600;

/** Events of the clean recording and of the changed one laid over each other; the rules are the borders of the frames. */
export function raster(original: EventClip, changed: EventClip, name: string): Markup {
  const { edges, stream } = original;
  const [first, last] = [edges[0]!, edges.at(-1)!];
  const on = canvas(across, stream.height * side);
  const column = (t: number): number => Math.min(across - 1, Math.max(0, Math.floor(((t - first) / (last - first)) * across)));
  for (const edge of edges.subarray(1, -1)) fill(on, column(edge), 0, 1, on.height, ink.rule);
  const { added, removed } = exchanged(stream, changed.stream);
  const density = new Uint32Array(across * stream.height);
  for (let i = 0; i < stream.t.length; i++) density[stream.y[i]! * across + column(stream.t[i]!)]!++;
  for (const [at, n] of density.entries()) {
    if (n > 0) fill(on, at % across, Math.floor(at / across) * side, 1, side, n === 1 ? ink.few : n === 2 ? ink.some : ink.many);
  }
  const place = ({ t, y }: EventStream, i: number): [number, number] => [column(t[i]!) - 1, y[i]! * side];
  for (const i of removed) ring(on, ...place(stream, i), ink.none);
  for (const i of added) fill(on, ...place(changed.stream, i), side, side, ink.added);
  return html`<img class="raster" src="${pngUri(indexedPng({ ...on, palette }))}" alt="${name}">`;
}
