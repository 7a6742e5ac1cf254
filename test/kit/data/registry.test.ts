import { expect, test } from 'vitest';
import { decodeImage, encodePng } from '../../../src/app/host/images.ts';
import { formats } from '../../../src/kit/data/registry.ts';
import { bytesOf, treeOf } from './samples.ts';

const pixels = new Array(2304).fill(7).join(' ');

test('a format opens what the host hands it, under the name the user wrote', async () => {
  const picture = await encodePng({ kind: 'image', width: 1, height: 1, channels: 1, data: Uint8Array.of(1) });
  const host = {
    name: './mine',
    tree: () => treeOf({ 'happy/a.png': picture }, '/somewhere/mine'),
    bytes: async () => bytesOf(`emotion,pixels,Usage\n3,${pixels},Training\n4,${pixels},PublicTest\n`),
    decodeImage,
  };
  const folder = await formats['image-folder']!.open(host, {});
  expect([folder.name, folder.labels, folder.count]).toEqual(['./mine', ['happy'], 1]);
  const all = await formats.fer2013!.open(host, {});
  const split = await formats.fer2013!.open(host, { usage: 'PublicTest' });
  expect([all.name, all.count, split.name, split.count]).toEqual(['./mine', 2, './mine (PublicTest)', 1]);
});
