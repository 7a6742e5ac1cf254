/**
 * @file Remembers which protobuf message each IR object was read from. The writer reuses that message as long as a pass has not replaced
 * the object, so unknown fields, doc strings and encodings survive and an untouched model is written byte for byte.
 */
import type { Message } from '@bufbuild/protobuf';

const origins = new WeakMap<object, Message>();

/** Notes that `object` was decoded from `message`; returns the object. */
export function cameFrom<T extends object>(object: T, message: Message): T {
  origins.set(object, message);
  return object;
}

/** The message `object` was decoded from, if it was read from a file and not rebuilt since. */
export const originOf = <M extends Message>(object: object): M | undefined => origins.get(object) as M | undefined;
