import { describe, expect, it } from 'vitest';
import { relaxedInputs, relaxedNote } from '../../../src/kit/threat/relaxed.ts';

const events = { role: 'attacked', modality: 'events', domain: 'continuous', storage: 'float32' } as const;

describe('relaxed inputs', () => {
  it('are attacked frames of event counts, and nothing else', () => {
    expect(
      relaxedInputs({
        counts: events,
        levels: { ...events, domain: { levels: 256 } },
        binary: { ...events, domain: 'binary' },
        stored: { ...events, storage: 'binary' },
        given: { ...events, role: 'given' },
        image: { ...events, modality: 'image' },
      }),
    ).toEqual(['counts', 'levels']);
    expect(relaxedNote('counts')).toMatch(/^input "counts" .*relaxed, not realisable/);
  });
});
