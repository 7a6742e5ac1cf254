import { html } from '../html.ts';

const added = html`<i class="mark added" aria-hidden="true"></i>`;
const deleted = html`<i class="mark deleted" aria-hidden="true"></i>`;

/** Below frames with flips. */
export const flipLegend = html`attacked: ${added} pixel added, ${deleted} deleted`;

/** Below a raster. */
export const rasterCaption = html`every event, height over time: ${added} put in, ${deleted} taken out`;
