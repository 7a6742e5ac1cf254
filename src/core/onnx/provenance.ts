/**
 * @file Remembers which protobuf message each IR object was read from, and which bytes each model. The writer reuses them as long as a pass
 * has not replaced the object, so unknown fields, doc strings and encodings survive and an untouched model is written byte for byte.
 */
import type { Message } from '@bufbuild/protobuf';

const origins = new WeakMap<object, Message>();
const files = new WeakMap<object, Uint8Array>();

/** Notes that `object` was decoded from `message`; returns the object. */
export function cameFrom<T extends object>(object: T, message: Message): T {
  origins.set(object, message);
  return object;
}

/** The message `object` was decoded from, if it was read from a file and not rebuilt since. */
export const originOf = <M extends Message>(object: object): M | undefined => origins.get(object) as M | undefined;

/** Notes the bytes a whole model was read from; returns the model. */
export function readFrom<T extends object>(model: T, bytes: Uint8Array): T {
  files.set(model, bytes);
  return model;
}

/** The bytes a model was read from, if it was not rebuilt since. */
export const fileOf = (model: object): Uint8Array | undefined => files.get(model);
