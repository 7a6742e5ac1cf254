/** Every export of snnTorch, Norse and SpikingJelly, by every exporter that could write it. */
import { describe, it } from 'vitest';
import { expectComplete, files } from '../core/spikes/exported.ts';

describe('the neurons of the Python model, all of them', () => {
  it.each(files)('%s', async (_name, row, file) => {
    await expectComplete(row, file);
  });
});
