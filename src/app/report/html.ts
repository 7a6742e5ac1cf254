/** @file Markup that cannot be forgotten to escape: whatever is put into the template is text unless it is Markup itself. */

export interface Markup {
  readonly markup: string;
}

export type Part = string | number | Markup | undefined | false | readonly Part[];

/** `text` as it may stand between tags and inside quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const flatten = (part: Part): string => {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  if ('markup' in part) return part.markup;
  return part.map(flatten).join('');
};

/** A template whose values are escaped, lists joined, and undefined and false left out. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: strings.reduce((all, string, i) => all + flatten(parts[i - 1]) + string),
});

/** Text written by this program, taken as it is. */
export const trusted = (markup: string): Markup => ({ markup });

/** A value as JSON that cannot end the script element it stands in. */
export const json = (value: unknown): Markup =>
  trusted(
    JSON.stringify(value)
      .replace(/</g, '\\u003c')
      .replace(/\u2028|\u2029/g, ' '),
  );
