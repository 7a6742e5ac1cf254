/** @file A self-contained page: everything inline, nothing fetched. The report of a run and that of a training stand in it. */
import { html, type Markup, type Part, trusted } from './html.ts';
import { base64 } from './pictures.ts';
import { style } from './style.ts';

export interface Frame {
  readonly name: string;
  /** What it is, in the title. */
  readonly what: string;
  /** ISO 8601. */
  readonly date: string;
  /** Of provoke. */
  readonly version: string;
  /** Ids and names of the sections, as the navigation lists them; the first is the head. */
  readonly sections: readonly (readonly [id: string, name: string])[];
  readonly body: Markup;
  /** The only script of the page. */
  readonly script?: string;
  /** Sentences of the footer. */
  readonly notes: Part;
}

/** A section with its heading. */
export const section = (id: string, title: string, lead: string, body: Markup): Markup => html`<section id="${id}">
<h2>${title}</h2>${lead !== '' && html`<p class="lead">${lead}</p>`}
${body}
</section>`;

/** Only this script may run, and nothing may be loaded: not even by mistake. */
async function policy(script: string | undefined): Promise<string> {
  const scripts =
    script === undefined
      ? "'none'"
      : `'sha256-${base64(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))))}'`;
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${scripts}; base-uri 'none'; form-action 'none'`;
}

/** The page as one HTML file: no network, works from disk, prints. */
export async function frame({ name, what, date, version, sections, body, script, notes }: Frame): Promise<Markup> {
  const day = date.slice(0, 10);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(await policy(script))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="provoke ${version}">
<link rel="icon" href="data:,">
<title>${name} — provoke ${what}</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#${sections[0]![0]}">Skip to the result</a>
<header class="top"><div><strong>provoke</strong><span>${name}</span><time datetime="${date}">${day}</time></div>
<nav aria-label="Sections">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav></header>
<main>
${body}
</main>
<footer><p>Made by provoke ${version} on ${day}. ${notes}One file, no network; it may be copied and archived as it is.</p></footer>
${script !== undefined && html`<script>${trusted(script)}</script>\n`}</body>
</html>
`;
}
