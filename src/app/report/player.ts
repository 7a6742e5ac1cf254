/** @file The part of the page's script that winds strips of frames up into films. Plain script for browsers. */

/**
 * Declares player(root, bar), which shows one frame at a time in all reels below `root`, puts the controls at the end of `bar`, and returns what keys do;
 * undefined where there are no reels. Expects make(), as the client declares it.
 */
export const player = `
  const player = (root, bar) => {
    const reels = [...root.querySelectorAll('.reel')];
    if (reels.length === 0) return undefined;
    const lead = reels[reels.length - 1].dataset, frames = Number(lead.frames);
    const list = (name) => lead[name] ? lead[name].split(',').map(Number) : undefined;
    const added = list('added'), deleted = list('deleted'), edges = list('edges');
    let at = Number(lead.first), timer = 0;
    const range = make('input', { type: 'range', min: 0, max: frames - 1, value: at, 'aria-label': 'frame', on: { input: () => { stop(); show(Number(range.value)); } } });
    const told = make('output', {});
    const button = (text, name, run) => make('button', { type: 'button', class: 'quiet', 'aria-label': name, title: name, on: { click: run } }, text);
    const show = (k) => {
      at = (k + frames) % frames;
      for (const reel of reels) reel.style.setProperty('--k', at);
      range.value = at;
      const text = 'frame ' + (at + 1) + ' of ' + frames + (edges ? ', ' + edges[at] + '–' + edges[at + 1] + ' ms' : '') + (added ? ': ' + added[at] + ' added, ' + deleted[at] + ' deleted' : '');
      told.textContent = text;
      range.setAttribute('aria-valuetext', text);
    };
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = '▶'; play.setAttribute('aria-label', 'play'); play.title = 'play'; };
    const toggle = () => {
      if (timer) { stop(); return; }
      timer = setInterval(() => (root.isConnected ? show(at + 1) : stop()), 250);
      play.textContent = '❚❚'; play.setAttribute('aria-label', 'pause'); play.title = 'pause';
    };
    const step = (by) => { stop(); show(at + by); };
    const play = button('▶', 'play', toggle);
    for (const reel of reels) reel.classList.remove('open');
    root.classList.add('wound');
    bar.append(make('div', { class: 'player' }, button('‹', 'previous frame', () => step(-1)), play, button('›', 'next frame', () => step(1)), range, told));
    show(at);
    return { step, toggle, stop };
  };
  for (const root of document.querySelectorAll('.films')) {
    const film = player(root, root);
    if (film) root.addEventListener('keydown', (event) => {
      if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
      const run = { ' ': film.toggle, ArrowLeft: () => film.step(-1), ArrowRight: () => film.step(1) }[event.key];
      if (run) { event.preventDefault(); run(); }
    });
  }
`;
