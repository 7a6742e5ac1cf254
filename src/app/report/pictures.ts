/** @file Pixels and bytes as the page shows them. */

export const defaults = { gain: 10 } as const;

/**
 * The change of a picture made visible: 128 + gain (adversarial - original), clipped to 0..255; unchanged pixels are mid grey.
 * @param original pixels 0..255, any layout
 * @param adversarial the same layout
 * @throws Error where the two differ in length
 */
export function differencePixels(original: Uint8Array, adversarial: Uint8Array, gain: number = defaults.gain): Uint8Array {
  if (original.length !== adversarial.length) {
    throw new Error(`differencePixels: ${original.length} values against ${adversarial.length}`);
  }
  return Uint8Array.from(original, (value, i) => Math.max(0, Math.min(255, Math.round(128 + gain * (adversarial[i]! - value)))));
}

/** Bytes in base 64. */
export function base64(bytes: Uint8Array): string {
  const chunk = 0x8000;
  let text = '';
  for (let i = 0; i < bytes.length; i += chunk) text += String.fromCharCode(...bytes.subarray(i, i + chunk));
  return btoa(text);
}

/** A PNG file as an address that needs no network. */
export const pngUri = (png: Uint8Array): string => `data:image/png;base64,${base64(png)}`;
