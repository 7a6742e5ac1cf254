import { UserError } from '../../../core/errors.ts';

/** Throws a UserError unless times are whole microseconds from 0 to below `limit`, as `format` needs them. */
export function wholeTimes(t: Float64Array, limit: number, format: string): void {
  const wrong = t.findIndex((time) => !(Number.isInteger(time) && time >= 0 && time < limit));
  if (wrong >= 0)
    throw new UserError(
      `event ${wrong} is at ${t[wrong]} us, and ${format} holds whole microseconds from 0 to ${limit - 1}`,
      'write .npz, or move and round the times',
    );
}
