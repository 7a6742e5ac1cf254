import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetWords, epsText, number, percent, size } from '../../../src/app/report/format.ts';
import { escapeHtml, html, json } from '../../../src/app/report/html.ts';
import { base64, differencePixels } from '../../../src/app/report/pictures.ts';
import { spread, steps, wrapped } from '../../../src/app/report/plot.ts';
import { fixture } from './fixture.ts';

const { inputs } = fixture().model;

describe('differencePixels', () => {
  it('is mid grey where nothing changed, and the change times the gain around it', () => {
    expect([...differencePixels(Uint8Array.of(0, 10, 200, 255), Uint8Array.of(0, 13, 195, 255), 10)]).toEqual([
      128, 158, 78, 128,
    ]);
  });
  it('clips, and refuses pictures of different sizes', () => {
    expect([...differencePixels(Uint8Array.of(0, 255), Uint8Array.of(255, 0), 10)]).toEqual([255, 0]);
    expect(() => differencePixels(new Uint8Array(3), new Uint8Array(4))).toThrow('3 values against 4');
  });
  it('can be undone while it does not clip', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: -12, max: 12 }))), (pairs) => {
        const original = Uint8Array.from(pairs, ([value]) => value);
        const adversarial = Uint8Array.from(pairs, ([value, change]) => Math.max(0, Math.min(255, value + change)));
        const back = [...differencePixels(original, adversarial, 10)].map((value, i) => original[i]! + (value - 128) / 10);
        expect(back).toEqual([...adversarial]);
      }),
    );
  });
});

describe('html', () => {
  it('escapes whatever is not markup', () => {
    expect(html`<p title="${'"<&\'>'}">${['a<b', html`<i>${'x&y'}</i>`, false, undefined, 3]}</p>`.markup).toBe(
      '<p title="&#34;&#60;&#38;&#39;&#62;">a&#60;b<i>x&#38;y</i>3</p>',
    );
  });
  it('lets no text end the script element it stands in, and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { markup } = json({ value, evil: '</script>' });
        expect(markup).not.toContain('<');
        expect(JSON.parse(markup)).toEqual(JSON.parse(JSON.stringify({ value, evil: '</script>' })));
      }),
    );
  });
  it('leaves no character that could open a tag or close an attribute', () => {
    fc.assert(fc.property(fc.string(), (text) => !/[<>"']/.test(escapeHtml(text))));
  });
});

describe('numbers in words', () => {
  it('budgets of 8-bit pictures are steps of 1/255 where that is exact', () => {
    expect(epsText(8 / 255, 'linf', inputs)).toBe('8/255');
    expect(epsText(0.5 / 255, 'linf', inputs)).toBe('0.5/255');
    expect(epsText(0.5, 'l2', inputs)).toBe('0.5');
    expect(epsText({ input: 8 / 255 }, 'linf', inputs)).toBe('input 8/255');
    expect(epsText(0.0123456, 'linf', inputs)).toBe('0.0123456');
    expect(size(3.7123 / 255, 'linf', inputs.input)).toBe('3.71/255');
  });
  it('names what may change', () => {
    expect(budgetWords('8/255', 'linf', inputs)).toBe('A change of at most 8/255 per pixel');
    expect(budgetWords('5', 'l0', inputs)).toBe('Changing at most 5 values');
  });
  it('a share is never rounded up to all or down to none', () => {
    expect([0, 0.0001, 0.5, 0.9999, 1, Number.NaN, null].map(percent)).toEqual([
      '0%',
      '<0.1%',
      '50.0%',
      '>99.9%',
      '100%',
      '—',
      '—',
    ]);
  });
  it('digits', () => {
    expect([0.0314159, 1234567, 2.5e-7, 12345.678].map((value) => number(value))).toEqual([
      '0.0314',
      '1\u202f234\u202f567',
      '2.50 × 10^-7',
      '12\u202f346',
    ]);
  });
});

it('base64 agrees with the platform’s own, over chunk borders too', () => {
  for (const length of [0, 1, 2, 3, 0x8000 - 1, 0x8000, 0x8001, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  }
});

it('labels at the end of lines keep their distance and stay inside', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 15 }), (wanted) => {
      const placed = spread(wanted, 17, 0, 300);
      const sorted = [...placed].sort((a, b) => a - b);
      expect(sorted.at(-1)).toBeLessThanOrEqual(300);
      expect(sorted[0]).toBeGreaterThanOrEqual(0);
      sorted.slice(1).forEach((height, i) => {
        expect(height - sorted[i]!).toBeGreaterThanOrEqual(17);
      });
    }),
  );
});

it('labels of several lines keep half of both heights apart', () => {
  expect(spread([100, 100, 100], [17, 45, 17], 0, 300)).toEqual([100, 131, 162]);
  expect(spread([290, 290], [45, 17], 0, 300)).toEqual([269, 300]);
});

it('long labels go on below, in lines as even as their number allows; words stay whole', () => {
  expect(wrapped('noise', 14)).toEqual(['noise']);
  expect(wrapped('own surrogate', 14)).toEqual(['own surrogate']);
  expect(wrapped('best fixed: atan x0.5', 18)).toEqual(['best fixed:', 'atan x0.5']);
  expect(wrapped('PDSG, a fifth as wide, tails of Cauchy (ours)', 18)).toEqual([
    'PDSG, a fifth as',
    'wide, tails of',
    'Cauchy (ours)',
  ]);
  expect(wrapped('ours: extraordinarily-long', 10)).toEqual(['ours:', 'extraordinarily-long']);
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1, maxLength: 9 }).filter((word) => !word.includes(' ')),
        { minLength: 1 },
      ),
      (words) => {
        const lines = wrapped(words.join(' '), 12);
        expect(lines.join(' ')).toBe(words.join(' '));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(12);
      },
    ),
  );
});

it('a distribution is level up to each of its jumps', () => {
  const [low, high] = [
    { x: 0.2, y: 0.25 },
    { x: 0.5, y: 1 },
  ];
  expect(steps([low, high])).toEqual([{ x: 0, y: 0 }, { x: 0.2, y: 0 }, low, { x: 0.5, y: 0.25 }, high, { x: 1, y: 1 }]);
  expect(steps([], 0.8)).toEqual([
    { x: 0, y: 0 },
    { x: 0.8, y: 0 },
  ]);
});
