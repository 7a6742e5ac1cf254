import { UserError } from '../../core/errors.ts';

const remedy = 'write a number or a fraction, e.g. 0.03 or 8/255';

/**
 * A budget or step as people write it: 0.03, "0.03", "1e-3" or "8/255".
 * Throws a UserError naming `field` for anything else, and for negative or infinite values.
 */
export function parseEps(value: unknown, field = 'eps'): number {
  const parsed = typeof value === 'number' ? value : typeof value === 'string' ? parseText(value) : Number.NaN;
  if (Number.isNaN(parsed))
    throw new UserError(`${field} is ${typeof value === 'string' ? `"${value}"` : String(value)}, which is not a number`, remedy);
  if (parsed < 0) throw new UserError(`${field} is ${value}, which is negative`, remedy);
  if (!Number.isFinite(parsed)) throw new UserError(`${field} is ${value}, which is not finite`, remedy);
  return parsed;
}

function parseText(text: string): number {
  const parts = text.split('/').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (parts.length > 2) return Number.NaN;
  const [numerator, denominator = 1] = parts as [number, number?];
  return denominator === 0 ? Number.NaN : numerator / denominator;
}
