/** @file Where samples come from. A loader turns bytes into raw items; the adapter (adapt.ts) turns a raw item into what a model's input wants, or says why it cannot. */

import type { EventClip } from './events/stream.ts';

/** Random access to bytes, so that loaders need no file system. */
export interface ByteSource {
  readonly size: number;
  /** Bytes from `offset` on. A source may write them to the beginning of `into` and return a view of it, so that long files leave no garbage. */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** Files a loader may open, by path relative to the data's root. */
export interface FileTree {
  /** What errors call the root. */
  readonly root: string;
  /** Relative paths of all files below, sorted, with '/' between folders. */
  list(): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** A file a part at a time, where the host can; else it is read whole. */
  bytes?(path: string): Promise<ByteSource>;
}

/** Pixels as a decoder gives them: interleaved, row-major, 0..255. */
export interface RawImage {
  readonly kind: 'image';
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Decodes PNG, JPEG, ...: without colour management; rotated as EXIF says. Rejects with a sentence that says what is wrong. */
export type DecodeImage = (bytes: Uint8Array) => Promise<RawImage>;

/** Numbers as they are, in the sample's shape. */
export interface RawArray {
  readonly kind: 'array';
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface RawItem {
  readonly id: string;
  readonly group: string;
  /** The label as the data spell it; undefined where there is none. */
  readonly label?: string;
  /** By input name; the name '' stands for the only attacked input. */
  readonly inputs: Readonly<Record<string, RawImage | RawArray>>;
  /** The recordings that inputs were binned from, by the same names. */
  readonly events?: Readonly<Record<string, EventClip>>;
}

/** An item that could not be used: named and counted, the rest goes on. */
export interface Problem {
  readonly item: string;
  readonly reason: string;
  /** What the user can do about it, where that is known. */
  readonly remedy?: string;
}

export interface DataSource {
  readonly name: string;
  /** Names of the labels as the data spell them, in a fixed order; empty where the data have none. */
  readonly labels: readonly string[];
  /** Where the labels come from, or what stands in for them; printed wherever an accuracy is. */
  readonly labelsAre: string;
  /** How the files were read where there was a choice (cut into frames, conventions), for reports. */
  readonly reading?: string;
  /** Set where the data are generated: the word "synthetic" and how. */
  readonly synthetic?: string;
  readonly count: number;
  /** Item i; a Problem where it cannot be read. */
  item(index: number): Promise<RawItem | Problem>;
  /** sha256 over everything that decides the samples. */
  readonly sha256: string;
}
