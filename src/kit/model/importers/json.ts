import { UserError } from '../../../core/errors.ts';

const text = new TextDecoder();

/** Parses JSON bytes; `what` is how the error names them. Throws a UserError for bytes that are not JSON. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(text.decode(bytes));
  } catch (cause) {
    throw new UserError(`${what} is not JSON: ${(cause as Error).message}`, 'check that the file is complete', { cause });
  }
}

/** The file of that name; throws a UserError that names it and lists what was given. */
export function fileOf(files: Readonly<Record<string, Uint8Array>>, name: string, what: string): Uint8Array {
  const file = files[name];
  if (file === undefined) {
    throw new UserError(
      `${what} refers to the file "${name}", which is not there`,
      `put it beside the model (given: ${Object.keys(files).sort().join(', ') || 'nothing'})`,
    );
  }
  return file;
}
