/** @file key=value pairs of the command line, and a choice made of a name and such pairs. */
import { UserError } from '../../core/errors.ts';
import type { SpikesReference } from '../../kit/spiking/choose.ts';

/** key=value pairs; numbers and booleans are read as such. */
export function settings(pairs: readonly string[], flag = '--set'): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UserError(`${flag}: "${pair}" is not key=value`, `for example ${examples[flag]}`);
      const value = pair.slice(at + 1);
      return [pair.slice(0, at), read(value)];
    }),
  );
}

const examples: Readonly<Record<string, string>> = { '--set': '--set steps=50', '--spikes': '--spikes atan alpha=2 width=0.5' };

function read(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The flag by which one-off commands say what stands in for spikes. */
export const spikesFlag = [
  '--spikes <name...>',
  'what stands in for the derivative of spikes, with its options: --spikes atan alpha=2 (default: pdsg-narrow; none: nothing)',
] as const;

/** --spikes NAME key=value ... as a model reference has it. */
export function spikesOf(words: readonly string[] | undefined): { spikes?: SpikesReference } {
  if (words === undefined) return {};
  const [use, ...pairs] = words as [string, ...string[]];
  return { spikes: pairs.length === 0 ? use : { ...settings(pairs, '--spikes'), use } };
}
