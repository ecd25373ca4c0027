// The chart island: <ace-chart> draws the JSON it holds as SVG, at the width it has. The table behind it is in the page.
const SVG = 'http://www.w3.org/2000/svg';
const words = new Intl.NumberFormat('en-US');
const FOOT = 36;
const HEAD = 24;

function make(name, attributes = {}, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** About four round steps from 0 to at least `top`, and nothing between whole numbers. */
function steps(top) {
  const rough = Math.max(top, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].map((times) => times * power).find((one) => one >= rough && (one >= 10 || Number.isInteger(one))) ?? 1);
  const count = Math.ceil(Math.max(top, 1) / step);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

class AceChart extends HTMLElement {
  connectedCallback() {
    this.read();
    this.svg = make('svg', { role: 'img', 'aria-label': `${this.closest('figure')?.querySelector('figcaption')?.textContent ?? 'Chart'}; its table follows` });
    this.tip = document.createElement('p');
    this.tip.className = 'chart-tip';
    this.tip.hidden = true;
    this.names = document.createElement('p');
    this.names.className = 'chart-names';
    this.names.setAttribute('aria-hidden', 'true');
    this.append(this.svg, this.names, this.tip);
    // drawn for the width it has, again whenever that changes
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(this);
    // live pages put newer values in the place of the old ones
    this.newer = new MutationObserver((changes) => changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.nodeName === 'SCRIPT')) && this.update());
    this.newer.observe(this, { childList: true });
    this.onpointermove = (event) => this.point(event);
    this.onpointerleave = () => this.point(null);
  }

  disconnectedCallback() {
    this.newer?.disconnect();
    this.sized?.disconnect();
    this.svg?.remove();
    this.names?.remove();
    this.tip?.remove();
  }

  read() {
    this.data = JSON.parse(this.querySelector('script').textContent);
  }

  update() {
    this.read();
    this.draw();
  }

  draw() {
    const [width, height] = [this.clientWidth, this.clientHeight];
    if (width === 0) return;
    const { kind, labels, series, stacked } = this.data;
    const tops = labels.map((_, at) => (stacked ? series.reduce((sum, one) => sum + one.values[at], 0) : Math.max(...series.map((one) => one.values[at]), 0)));
    const ticks = steps(Math.max(...tops, 0));
    this.lying = kind === 'row';
    const longest = Math.max(...(this.lying ? labels : ticks.map((tick) => words.format(tick))).map((text) => text.length));
    const left = Math.min(this.lying ? width * 0.4 : 64, longest * 6.5 + 14);
    this.box = { left, top: series.length > 1 ? HEAD : 8, right: width - (this.lying ? 18 : 8), bottom: height - FOOT };
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...this.axes(ticks), ...(kind === 'line' ? this.lines(ticks) : this.bars(ticks)));
    this.legend();
  }

  /** How far along the axis of values, of its length. */
  along(value, ticks) {
    const { left, top, right, bottom } = this.box;
    const share = value / ticks[ticks.length - 1];
    return this.lying ? left + share * (right - left) : bottom - share * (bottom - top);
  }

  /** The room of one label: where it begins, and its size. */
  slot(at) {
    const { left, top, right, bottom } = this.box;
    const [from, length] = this.lying ? [top, bottom - top] : [left, right - left];
    const size = length / Math.max(this.data.labels.length, 1);
    return { from: from + at * size, size };
  }

  axes(ticks) {
    const { left, top, right, bottom } = this.box;
    const { x, y, labels } = this.data;
    const drawn = ticks.flatMap((tick) => {
      const at = this.along(tick, ticks);
      const line = this.lying ? { x1: at, x2: at, y1: top, y2: bottom } : { x1: left, x2: right, y1: at, y2: at };
      const text = this.lying ? { x: at, y: bottom + 14, 'text-anchor': 'middle' } : { x: left - 8, y: at + 4, 'text-anchor': 'end' };
      return [make('line', { class: 'chart-line', ...line }), make('text', text, words.format(tick))];
    });
    const every = this.lying ? 1 : Math.ceil((Math.max(...labels.map((label) => label.length), 1) * 6.5 + 14) / Math.max(this.slot(0).size, 1));
    labels.forEach((label, at) => {
      if (at % every !== 0) return;
      const { from, size } = this.slot(at);
      const middle = from + size / 2;
      const room = Math.floor((left - 14) / 6.2);
      const short = this.lying && label.length > room ? `${label.slice(0, Math.max(room - 1, 1))}…` : label;
      drawn.push(make('text', this.lying ? { x: left - 8, y: middle + 4, 'text-anchor': 'end' } : { x: middle, y: bottom + 15, 'text-anchor': 'middle' }, short));
    });
    drawn.push(make('text', { class: 'chart-name', x: (left + right) / 2, y: bottom + 31, 'text-anchor': 'middle' }, this.lying ? y : `${y} by ${x.toLowerCase()}`));
    return drawn;
  }

  bars(ticks) {
    const { labels, series, stacked } = this.data;
    return labels.flatMap((_, at) => {
      const { from, size } = this.slot(at);
      const room = Math.min(size * 0.76, 36 * (stacked ? 1 : series.length));
      const thick = stacked ? room : room / series.length;
      let below = 0;
      return series.map(({ values }, index) => {
        const value = values[at];
        const [zero, end] = [this.along(stacked ? below : 0, ticks), this.along((stacked ? below : 0) + value, ticks)];
        if (stacked) below += value;
        const start = from + (size - room) / 2 + (stacked ? 0 : index * thick);
        const [low, length] = [Math.min(zero, end), Math.abs(end - zero)];
        const box = this.lying ? { x: low, y: start, width: length, height: thick } : { x: start, y: low, width: thick, height: length };
        return make('rect', { class: `chart-${(index % 5) + 1}`, rx: Math.min(2, thick / 4), ...box });
      });
    });
  }

  lines(ticks) {
    return this.data.series.flatMap(({ values }, index) => {
      const points = values.map((value, at) => [this.slot(at).from + this.slot(at).size / 2, this.along(value, ticks)]);
      const css = `chart-${(index % 5) + 1}`;
      const dots = values.length < 3 ? points.map(([cx, cy]) => make('circle', { class: css, cx, cy, r: 4 })) : [];
      return [make('polyline', { class: `chart-curve ${css}`, points: points.map((point) => point.join(',')).join(' ') }), ...dots];
    });
  }

  /** The names of the series with their colours, above the drawing. */
  legend() {
    const { series } = this.data;
    const keys = series.length > 1 ? series.map(({ name }, index) => this.key(name, index)) : [];
    this.names.replaceChildren(...keys);
  }

  key(text, index) {
    const key = document.createElement('span');
    key.className = `chart-key chart-key-${(index % 5) + 1}`;
    key.textContent = text;
    return key;
  }

  /** What the pointer is at, in words beside it. */
  point(event) {
    const at = event && this.labelAt(event);
    const missing = at === null || this.data.labels[at] === undefined;
    this.tip.hidden = missing;
    if (missing) return;
    const title = document.createElement('strong');
    title.textContent = this.data.labels[at];
    const lines = this.data.series.map(({ name, values }, index) => this.key(`${name}: ${words.format(values[at])}`, index));
    this.tip.replaceChildren(title, ...lines);
    const { left, width } = this.getBoundingClientRect();
    this.tip.toggleAttribute('data-left', event.clientX - left > width / 2);
  }

  labelAt(event) {
    const frame = this.getBoundingClientRect();
    const { from, size } = this.slot(0);
    return Math.floor(((this.lying ? event.clientY - frame.top : event.clientX - frame.left) - from) / size);
  }
}

customElements.define('ace-chart', AceChart);
