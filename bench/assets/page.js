(() => {
  const source = document.getElementById('result').textContent;
  const themeButton = document.getElementById('theme');
  const downloadButton = document.getElementById('download');
  const readout = document.getElementById('readout');
  const themes = ['automatic', 'light', 'dark'];
  const key = 'warmvm-bench-theme';

  // A page opened as a file may have no storage.
  const remembered = (() => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  })();

  function setTheme(theme) {
    if (theme === 'automatic') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    themeButton.textContent = `Colours: ${theme}`;
    themeButton.value = theme;
    try {
      localStorage.setItem(key, theme);
    } catch {
      // Forgotten when the page is left.
    }
  }

  setTheme(themes.includes(remembered) ? remembered : 'automatic');
  themeButton.hidden = false;
  themeButton.addEventListener('click', () => {
    setTheme(themes[(themes.indexOf(themeButton.value) + 1) % themes.length]);
  });

  downloadButton.hidden = false;
  downloadButton.addEventListener('click', () => {
    const pretty = `${JSON.stringify(JSON.parse(source), null, 2)}\n`;
    const address = URL.createObjectURL(new Blob([pretty], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = 'warmvm-bench.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });

  const sortedSamples = new Map();
  let result;

  function samplesOf(plot) {
    const { suite, figure } = plot.dataset;
    const name = `${suite} ${figure}`;
    if (!sortedSamples.has(name)) {
      result ??= JSON.parse(source);
      const { samples, unit } = result.suites[Number(suite)].figures[figure];
      sortedSamples.set(name, { unit, samples: Float64Array.from(samples).sort() });
    }
    return sortedSamples.get(name);
  }

  function valueAt(plot, share) {
    const low = Number(plot.dataset.low);
    const high = Number(plot.dataset.high);
    return plot.dataset.kind === 'log' ? low * (high / low) ** share : low + (high - low) * share;
  }

  function countUpTo(samples, value) {
    let [from, to] = [0, samples.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (samples[middle] <= value) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  const scales = {
    ms: [
      [1000, 's'],
      [1, 'ms'],
      [1e-3, 'µs'],
      [1e-6, 'ns'],
    ],
    bytes: [
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
      [1, 'B'],
    ],
  };

  function quantity(value, unit) {
    const scale = scales[unit];
    const [divisor, name] = scale?.find(([size]) => Math.abs(value) >= size) ?? scale?.at(-1) ?? [1, unit];
    const number = Number((value / divisor).toPrecision(3));
    return `${number.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${name}`;
  }

  function show(plot, share, x, y) {
    const { samples, unit } = samplesOf(plot);
    const value = valueAt(plot, share);
    const part = (100 * countUpTo(samples, value)) / samples.length;
    const digits = part > 99 && part < 100 ? 1 : 0;
    readout.textContent = `≤ ${quantity(value, unit)}: ${part.toFixed(digits)} % of ${samples.length.toLocaleString('en-US')}`;
    readout.hidden = false;
    const left = Math.max(4, Math.min(x + 12, document.documentElement.clientWidth - readout.offsetWidth - 4));
    readout.style.transform = `translate(${left}px, ${Math.max(4, y - readout.offsetHeight - 10)}px)`;
  }

  function hide() {
    readout.hidden = true;
  }

  function shareAt(plot, event) {
    const box = plot.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  }

  for (const plot of document.querySelectorAll('svg[data-figure]')) {
    plot.addEventListener('pointermove', (event) => show(plot, shareAt(plot, event), event.clientX, event.clientY));
    plot.addEventListener('pointerleave', hide);
  }

  // Curves can be read with the keyboard too: arrows move along the axis.
  for (const plot of document.querySelectorAll('svg.curve[data-figure]')) {
    let share = 0.5;
    const read = () => {
      const box = plot.getBoundingClientRect();
      show(plot, share, box.left + share * box.width, Math.max(40, box.top + box.height / 2));
    };
    plot.setAttribute('tabindex', '0');
    plot.addEventListener('focus', () => plot.matches(':focus-visible') && read());
    plot.addEventListener('blur', hide);
    plot.addEventListener('keydown', ({ key: pressed }) => {
      if (pressed === 'Escape') hide();
      if (pressed !== 'ArrowLeft' && pressed !== 'ArrowRight') return;
      share = Math.min(1, Math.max(0, share + (pressed === 'ArrowRight' ? 0.02 : -0.02)));
      read();
    });
  }

  addEventListener('beforeprint', () => {
    for (const folded of document.querySelectorAll('details')) folded.open = true;
  });
})();
