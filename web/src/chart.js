// The chart island: <ace-chart> draws the JSON it holds with Chart.js. The table behind it is in the page.
import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip } from 'chart.js';

Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip);

// Canvas does not know light-dark() or oklch() everywhere: the browser resolves a token to a plain colour.
function token(element, name) {
  const probe = document.createElement('span');
  probe.className = `chart-probe-${name}`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

class AceChart extends HTMLElement {
  connectedCallback() {
    this.read();
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', `${this.closest('figure')?.querySelector('figcaption')?.textContent ?? 'Chart'}; its table follows`);
    this.append(this.canvas);
    this.redraw = () => this.draw();
    this.system = matchMedia('(prefers-color-scheme: dark)');
    this.system.addEventListener('change', this.redraw);
    document.addEventListener('ace:theme', this.redraw);
    // live pages put newer values in the place of the old ones
    this.newer = new MutationObserver(() => this.update());
    this.newer.observe(this, { childList: true });
    this.draw();
  }

  read() {
    this.data = JSON.parse(this.querySelector('script').textContent);
  }

  update() {
    const before = JSON.stringify(this.data);
    this.read();
    if (JSON.stringify(this.data) === before) return;
    this.chart.data = this.drawn();
    this.chart.update('none');
  }

  disconnectedCallback() {
    this.newer?.disconnect();
    this.chart?.destroy();
    this.canvas?.remove();
    this.system?.removeEventListener('change', this.redraw);
    document.removeEventListener('ace:theme', this.redraw);
  }

  draw() {
    this.chart?.destroy();
    this.chart = new Chart(this.canvas, {
      type: this.data.kind === 'line' ? 'line' : 'bar',
      data: this.drawn(),
      options: this.options(),
    });
  }

  drawn() {
    const { labels, series } = this.data;
    return { labels, datasets: series.map((one, index) => this.dataset(one, index)) };
  }

  dataset({ name, values }, index) {
    const colour = token(this, (index % 5) + 1);
    const line = { borderColor: colour, borderWidth: 2, pointRadius: values.length < 3 ? 4 : 0, pointHitRadius: 12, tension: 0.25, backgroundColor: colour };
    const bar = { backgroundColor: colour, borderRadius: 3, maxBarThickness: 36 };
    return { label: name, data: values, ...(this.data.kind === 'line' ? line : bar) };
  }

  options() {
    const { kind, x, y, series, stacked } = this.data;
    const [ink, line] = [token(this, 'ink'), token(this, 'line')];
    const lying = kind === 'row';
    const font = { family: getComputedStyle(this).fontFamily, size: 11 };
    const values = { beginAtZero: true, stacked, grid: { color: line }, border: { display: false }, ticks: { color: ink, font, precision: 0, maxTicksLimit: 6 }, title: { display: true, text: y, color: ink, font } };
    const names = { stacked, grid: { display: false }, border: { color: line }, ticks: { color: ink, font, maxRotation: 0, autoSkip: !lying, autoSkipPadding: 16 }, title: { display: !lying, text: x, color: ink, font } };
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    return {
      indexAxis: lying ? 'y' : 'x', maintainAspectRatio: false, animation: calm ? false : { duration: 250 },
      interaction: { mode: 'index', intersect: false, axis: lying ? 'y' : 'x' },
      scales: lying ? { x: values, y: names } : { x: names, y: values },
      plugins: { legend: { display: series.length > 1, align: 'end', labels: { color: ink, font, boxWidth: 10, boxHeight: 10, usePointStyle: false } } },
    };
  }
}

customElements.define('ace-chart', AceChart);
