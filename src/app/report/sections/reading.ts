/** @file How to read the page, and whose work it stands on. */
import { eventInput } from '../events/words.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import { isControl, type RunIndex } from '../run-index.ts';

function definitions(data: ReportData): (readonly [string, string])[] {
  const targeted = data.goal !== 'untargeted';
  const word = data.data.agreement ? 'agreement' : 'accuracy';
  const right = data.data.agreement ? 'the model’s own answer to the clean sample' : 'the label';
  return [
    [
      `Clean ${word}`,
      data.data.agreement
        ? 'The labels are the model’s own clean answers, so this is 100% by definition and says nothing about how often the model is right.'
        : 'Share of samples whose clean version the model answers with the label.',
    ],
    [
      `Robust ${word}`,
      `Held / (samples − invalid): the share on which ${targeted ? `the answer was ${right}, not yet the one asked for, and the attacker did not get it` : `the answer is still ${right}`} after the attack did its worst within the budget.`,
    ],
    ['Attack success rate', 'Fooled / (fooled + held): skipped samples count neither for nor against it.'],
    [
      'Worst case',
      'For every sample the attack of this run that worked on it, if any did. It is the figure that matters: an attacker may try more than one method. More attacks can only lower it.',
    ],
    [
      'Budget',
      'How much of the input may change. L∞: the most any value changes. L2: the length of the change. L1: the sum of all changes. L0: how many values change.',
    ],
    ...(eventInput(data) === undefined
      ? []
      : [
          [
            'Flip, cut anew',
            'A flip switches one pixel of one frame. It is carried into the recording: a pixel that is deleted loses all its events in that frame, one that is added gets an event at a random time of the frame’s window. The verdict is on the saved recording, cut by the windows of the clean one. Who cuts recordings by number of events gets other windows once some were put in or taken out; cut anew says how many examples survive that.',
          ] as const,
        ]),
    ['Interval', 'Wilson 95%: how far the figure might move with another draw of as many samples. Few samples, wide interval.'],
    [
      'Control',
      'Random noise of the same size. If it fools the model about as often, the model is fragile, not attacked. p: how likely a difference as large would be on the same samples if both were equally strong; samples are taken as independent, and that the strongest of several attacks was chosen is not allowed for.',
    ],
    [
      'Fooled, held, skipped, invalid',
      `Fooled: the saved file, read back, makes the model answer ${targeted ? 'as the attacker asked' : 'differently'}. Held: nothing was found. Skipped: ${targeted ? 'wrong, or already the answer asked for, before any attack' : 'wrong before any attack'}. Invalid: could not be judged.`,
    ],
  ];
}

/** Definitions, the methods' papers, and responsible use. */
export function reading(data: ReportData, index: RunIndex): Markup {
  return html`<dl class="definitions">${definitions(data).map(([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>
<h3>Methods</h3>
<table class="facts methods"><tbody>${index.attacks.map(
    (attack) =>
      html`<tr><th scope="row">${attack.label}</th><td>${attack.title}${isControl(attack) && ' (control)'}<br><cite>${attack.paper}</cite></td></tr>`,
  )}<tr><th scope="row">Wilson interval</th><td><cite>E. B. Wilson, Probable inference, the law of succession, and statistical inference. JASA 22, 1927.</cite></td></tr><tr><th scope="row">McNemar test</th><td><cite>Q. McNemar, Note on the sampling error of the difference between correlated proportions. Psychometrika 12, 1947; exact, by the binomial.</cite></td></tr></tbody></table>
<h3>Responsible use</h3>
<p>This report is meant for those who own or are asked to examine the model. The examples in it are made to mislead a machine that reads people: do not use them against systems or people without permission, and handle the pictures of persons as personal data.</p>`;
}
