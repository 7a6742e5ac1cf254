import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reseed } from '../../bench/models/reseed.ts';
import { feedsOf, opsetOf } from '../../src/core/onnx/graph.ts';
import { foldedOnly, prepare } from '../../src/core/onnx/passes/prepare.ts';
import { readModel } from '../../src/core/onnx/reader.ts';
import { difference, execute, normalFeeds } from '../core/onnx/passes/compare.ts';

describe('the light topologies with many weights', () => {
  for (const name of ['bvlc_alexnet', 'zfnet512', 'vgg19']) {
    it(`prepares ${name} with random weights and keeps its result`, async () => {
      const model = readModel(readFileSync(new URL(`../../bench/models/light/light_${name}.onnx`, import.meta.url)));
      const seeded = reseed(await foldedOnly(model, execute), 7);
      const after = await prepare(seeded, execute);
      expect(opsetOf(after)).toBe(18);
      expect(feedsOf(after)).toHaveLength(1);
      expect(await difference(seeded, after, normalFeeds(seeded))).toBeLessThan(1e-5);
    });
  }
});
