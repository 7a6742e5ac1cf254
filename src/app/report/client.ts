/** @file What the page does when touched: sorting, choosing, and the detail view. Plain script for browsers; everything it writes is text, never markup. */

import { player } from './player.ts';

/** The one inline script; its hash stands in the page's policy. */
export const client = `'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const data = (id) => { const element = byId(id); return element === null ? null : JSON.parse(element.textContent); };
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === 'on') for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
      else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.flat().filter((child) => child !== undefined && child !== false));
    return element;
  };
  const share = (p) => (100 * p).toFixed(1) + '%';

  // Films of frames.${player}
  // Tables that sort by a click on a column.
  const cells = byId('cells');
  if (cells) {
    const body = cells.tBodies[0];
    const heads = [...cells.tHead.rows[0].cells];
    const value = (row, i) => { const cell = row.cells[i]; return cell.dataset.sort === undefined ? cell.textContent : Number(cell.dataset.sort); };
    heads.forEach((head, i) => head.firstElementChild.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const order = (a, b) => { const x = value(a, i), y = value(b, i); return typeof x === 'string' ? x.localeCompare(y) : x - y; };
      body.append(...[...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b))));
    }));
  }

  // The attacked confusion matrix follows its two selectors.
  const tables = data('confusion-data');
  if (tables) {
    byId('confusion-controls').hidden = false;
    const attack = byId('confusion-attack'), budget = byId('confusion-budget'), table = byId('confusion-attacked');
    const paint = () => {
      const found = tables.find((one) => one.a === Number(attack.value) && one.b === Number(budget.value));
      table.caption.textContent = attack.selectedOptions[0].textContent + ' at ' + budget.selectedOptions[0].textContent + (found ? '' : ': not run');
      [...table.tBodies[0].rows].forEach((row, i) => {
        const counts = found ? found.counts[i] : [];
        const total = counts.reduce((sum, count) => sum + count, 0);
        [...row.cells].slice(1).forEach((cell, j) => {
          const part = total === 0 ? 0 : counts[j] / total;
          cell.textContent = counts[j] ? String(counts[j]) : '';
          cell.style.setProperty('--v', part.toFixed(3));
          cell.classList.toggle('full', part > 0.55);
        });
      });
    };
    attack.addEventListener('change', paint);
    budget.addEventListener('change', paint);
  }

  const state = data('sample-data');
  if (!state) return;
  const cards = [...byId('cards').children].map((item) => item.firstElementChild);
  const attackChoice = byId('sample-attack'), budgetChoice = byId('sample-budget'), search = byId('sample-search');
  const filters = [...document.querySelectorAll('[data-filter]')];
  const detail = byId('detail');
  let filter = 'all';
  byId('sample-controls').hidden = false;

  const find = (sample, a, b) => (a < 0 ? sample.rows[sample.worst[b]] : sample.rows.find((row) => row.a === a && row.b === b));
  const haystack = state.samples.map((sample) => [sample.id, sample.group, state.classes[sample.label], state.classes[sample.clean]].join(' ').toLowerCase());

  const refresh = () => {
    const a = Number(attackChoice.value), b = Number(budgetChoice.value), words = search.value.trim().toLowerCase();
    const counts = { all: 0, fooled: 0, held: 0, skipped: 0, invalid: 0 };
    let visible = 0;
    state.samples.forEach((sample, i) => {
      const row = find(sample, a, b), card = cards[i], tag = card.querySelector('.state');
      tag.className = 'state ' + (row ? row.s : '');
      tag.textContent = row ? row.s : 'not run';
      card.querySelector('.became').textContent = row && row.s === 'fooled' ? ' → ' + state.classes[row.y] : '';
      const matches = haystack[i].includes(words) || (row && row.s === 'fooled' && state.classes[row.y].toLowerCase().includes(words));
      if (matches && row) { counts.all++; counts[row.s]++; }
      const show = matches && (filter === 'all' || (row && row.s === filter));
      card.parentElement.hidden = !show;
      if (show) visible++;
    });
    for (const button of filters) {
      button.lastElementChild.textContent = String(counts[button.dataset.filter]);
      button.setAttribute('aria-pressed', String(button.dataset.filter === filter));
    }
    byId('no-cards').hidden = visible > 0;
  };
  attackChoice.addEventListener('change', refresh);
  budgetChoice.addEventListener('change', refresh);
  search.addEventListener('input', refresh);
  for (const button of filters) button.addEventListener('click', () => { filter = button.dataset.filter; refresh(); });

  const visibleCards = () => cards.filter((card) => !card.parentElement.hidden);
  const grid = byId('cards');
  grid.addEventListener('keydown', (event) => {
    const list = visibleCards(), at = list.indexOf(document.activeElement);
    if (at < 0) return;
    const top = list[0].getBoundingClientRect().top;
    const across = list.filter((card) => Math.abs(card.getBoundingClientRect().top - top) < 2).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -at, End: list.length - 1 - at }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    (list[at + step] || list[at]).focus();
  });

  // The detail view: where = { i: sample, a: attack, b: budget }.
  let where = null, film;
  const address = () => {
    const row = find(state.samples[where.i], where.a, where.b);
    const query = new URLSearchParams({ sample: state.samples[where.i].id });
    if (row) { query.set('attack', state.attacks[row.a].name); query.set('eps', state.budgets[row.b]); }
    return '#' + query.toString().replace(/%2F/g, '/');
  };

  const bars = (sample, row) => {
    const after = row.p.length ? row.p : sample.p;
    const order = state.classes.map((_, k) => k);
    const most = 10;
    const peak = (k) => Math.max(sample.p[k] || 0, after[k] || 0);
    const shown = order.length <= most ? order : order.sort((x, y) => peak(y) - peak(x)).slice(0, most);
    const bar = (name, p) => { const inner = make('i'); inner.style.width = (100 * p).toFixed(1) + '%'; return make('span', { class: 'bar ' + name }, inner, make('em', {}, share(p))); };
    return make('table', { class: 'bars' },
      make('caption', {}, 'Probabilities', state.classes.length > shown.length ? ' (the ' + shown.length + ' largest of ' + state.classes.length + ')' : '', make('span', { class: 'legend' }, make('i', { class: 'before' }), 'clean', make('i', { class: 'after' }), 'attacked')),
      make('tbody', {}, shown.map((k) => make('tr', { class: k === row.y && k !== sample.clean ? 'new' : k === sample.clean ? 'old' : false },
        make('th', { scope: 'row' }, state.classes[k]), make('td', {}, bar('before', sample.p[k] || 0), bar('after', after[k] || 0))))));
  };

  const chooser = (sample) => make('table', { class: 'chooser' },
    make('caption', {}, 'Attack and budget'),
    make('thead', {}, make('tr', {}, make('td'), state.budgets.map((label) => make('th', { scope: 'col' }, label)))),
    make('tbody', {}, state.attacks.map((attack, a) => make('tr', {}, make('th', { scope: 'row' }, attack.label),
      state.budgets.map((label, b) => {
        const row = find(sample, a, b);
        return make('td', {}, row && make('button', { type: 'button', class: row.s, 'aria-pressed': String(a === where.a && b === where.b), 'aria-label': attack.label + ' at ' + label + ': ' + row.s, title: row.s, on: { click: () => move(where.i, a, b, true) } }));
      })))));

  const facts = (sample, row) => {
    const lines = [
      ...(sample.group === sample.id ? [] : [['Group', sample.group]]),
      [state.agreement ? 'Clean answer (taken as right)' : 'Label', state.classes[sample.label]],
      ...(row.events || []),
      ...row.sizes.map(([name, text]) => ['Size of the change, ' + name, text]),
      ...(row.distance ? [['Smallest change found, before rounding', row.distance]] : []),
      ['Before rounding to the file', row.float ? 'fooled too' : 'not fooled'],
      ['Forward passes', row.forwards], ['Backward passes', row.backwards], ['Queries', row.queries], ['Time', row.seconds],
      ...(row.found ? [['Queries at the first example', row.found]] : []),
      ...(row.by ? [['Found by', row.by]] : []),
      ...(row.file ? [['File', row.file]] : []),
      ...(row.reason ? [['Reason', row.reason]] : []),
    ];
    return make('table', { class: 'facts' }, make('tbody', {}, lines.map(([name, text]) => make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, text)))));
  };

  const pictures = (row) => {
    if (film) film.stop();
    const original = cards[where.i].querySelector('.thumb').firstElementChild.cloneNode(true);
    const list = [make('figure', {}, original, make('figcaption', {}, 'original'))];
    const template = row.example === undefined ? null : byId('example-' + row.example);
    const why = row.s === 'fooled' ? 'The example is in the run’s folder; it is not drawn here.' : row.s === 'held' ? 'Nothing found within this budget: the original stands.' : row.s === 'skipped' ? 'Not attacked: wrong before any attack.' : 'Could not be judged.';
    if (template) list.push(template.content.cloneNode(true));
    else list.push(make('p', { class: 'instead' }, why));
    const shown = make('div', { class: 'pictures' }, list), whole = make('div', { class: 'shown' }, shown);
    film = player(shown, whole);
    return whole;
  };

  const draw = (focusChooser) => {
    const sample = state.samples[where.i], row = find(sample, where.a, where.b);
    const list = visibleCards(), at = list.indexOf(cards[where.i]);
    const arrow = (step, text, name) => { const next = list[at + step]; return make('button', { type: 'button', class: 'quiet', 'aria-label': name, title: name, disabled: at < 0 || !next, on: { click: () => turn(step) } }, text); };
    const said = (k, p) => [make('b', {}, state.classes[k]), ' ', make('span', { class: 'meta' }, share(p || 0))];
    const kept = detail.open && detail.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
    detail.replaceChildren(
      make('header', {}, make('h2', { id: 'detail-title', tabindex: '-1' }, sample.id),
        make('div', { class: 'turn' }, at >= 0 && make('span', { class: 'meta' }, at + 1 + ' of ' + list.length), arrow(-1, '←', 'previous sample'), arrow(1, '→', 'next sample'), make('button', { type: 'button', class: 'quiet', 'aria-label': 'close', title: 'close', on: { click: () => detail.close() } }, '✕'))),
      make('p', { class: 'verdict' }, make('span', { class: 'state ' + row.s }, row.s), ' ', state.attacks[row.a].label, ' at ', state.budgets[row.b], make('span', { class: 'arrow' }, said(sample.clean, sample.p[sample.clean]), ' → ', said(row.y, (row.p.length ? row.p : sample.p)[row.y]))),
      pictures(row),
      make('div', { class: 'halves' }, bars(sample, row), make('div', {}, chooser(sample), facts(sample, row))),
      make('p', { class: 'hint' }, make('kbd', {}, '←'), ' ', make('kbd', {}, '→'), ' sample   ', make('kbd', {}, 'a'), ' attack   ', make('kbd', {}, 'b'), ' budget   ', ...(film ? [make('kbd', {}, 'p'), ' play   ', make('kbd', {}, ','), ' ', make('kbd', {}, '.'), ' frame   '] : []), make('kbd', {}, 'Esc'), ' close'),
    );
    if (!detail.open) detail.showModal();
    const again = kept === null ? null : [...detail.querySelectorAll('button:not([disabled])')].find((button) => button.getAttribute('aria-label') === kept);
    (again || byId('detail-title')).focus({ preventScroll: true });
    if (!focusChooser) detail.scrollTop = 0;
  };

  const move = (i, a, b, keep) => {
    const row = find(state.samples[i], a, b) || state.samples[i].rows[0];
    where = { i, a: row.a, b: row.b };
    history.replaceState(null, '', address());
    draw(keep);
  };
  const turn = (step) => {
    const list = visibleCards(), next = list[list.indexOf(cards[where.i]) + step];
    if (next) { const i = cards.indexOf(next), any = Number(attackChoice.value) < 0; move(i, any ? -1 : where.a, where.b); }
  };
  const cycle = (name) => {
    const rows = state.samples[where.i].rows;
    const size = name === 'a' ? state.attacks.length : state.budgets.length;
    for (let k = 1; k <= size; k++) {
      const a = name === 'a' ? (where.a + k) % size : where.a, b = name === 'b' ? (where.b + k) % size : where.b;
      if (rows.some((row) => row.a === a && row.b === b)) { move(where.i, a, b, true); return; }
    }
  };

  cards.forEach((card, i) => card.addEventListener('click', () => move(i, Number(attackChoice.value), Number(budgetChoice.value))));
  detail.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target.type === 'range' && event.key.startsWith('Arrow'))) return;
    const frames = film ? { p: film.toggle, ',': () => film.step(-1), '.': () => film.step(1) } : {};
    const run = { ArrowLeft: () => turn(-1), ArrowRight: () => turn(1), a: () => cycle('a'), b: () => cycle('b'), ...frames }[event.key];
    if (run) { event.preventDefault(); run(); }
  });
  detail.addEventListener('click', (event) => { if (event.target === detail) detail.close(); });
  detail.addEventListener('close', () => {
    if (film) film.stop();
    const card = cards[where.i];
    history.replaceState(null, '', location.href.split('#')[0]);
    card.focus();
  });

  // A link to a sample opens it.
  const open = () => {
    const query = new URLSearchParams(location.hash.slice(1));
    if (!query.has('sample')) return;
    const i = state.samples.findIndex((sample) => sample.id === query.get('sample'));
    if (i < 0) return;
    const a = state.attacks.findIndex((attack) => attack.name === query.get('attack')), b = state.budgets.indexOf(query.get('eps'));
    move(i, a, b < 0 ? state.headline : b);
  };
  addEventListener('hashchange', open);
  refresh();
  open();
})();`;
