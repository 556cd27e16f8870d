/** A chart of curves over a logarithmic axis, for a page of documentation. */
export interface Curves {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** What is written along the x axis, at its place. */
  readonly ticks: readonly number[];
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly name: string;
  /** In order of x, which is above 0. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const size = { width: 720, height: 400 } as const;
const plot = { left: 70, right: 480, top: 50, bottom: 340 } as const;
/** Told apart by people who see few colours too, on white and on black. */
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#777', '#000'];
const yTicks = 5;

/** The chart as SVG. The y axis begins at 0, so that a curve that looks flat is flat. */
export function drawCurves({ title, xLabel, yLabel, ticks, curves }: Curves): string {
  const yMax = niceAbove(Math.max(...curves.flatMap(({ points }) => points.map(({ y }) => y))));
  const xOf = logScale(Math.min(...ticks), Math.max(...ticks));
  const yOf = (y: number) => plot.bottom - (y / yMax) * (plot.bottom - plot.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    `<title>${toXmlText(title)}</title>`,
    `<rect width="100%" height="100%" fill="white"/>`,
    label(plot.left, 24, title, 'start', 'font-size="15"'),
    label((plot.left + plot.right) / 2, size.height - 16, xLabel, 'middle'),
    label(plot.left, plot.top - 10, yLabel, 'start'),
    ...Array.from({ length: yTicks + 1 }, (_, index) => {
      const y = (yMax / yTicks) * index;
      const line = `<path d="M${plot.left} ${round(yOf(y))}H${plot.right}" stroke="#ddd"/>`;
      return line + label(plot.left - 8, yOf(y) + 4, amount(y), 'end');
    }),
    ...ticks.map((x) => label(xOf(x), plot.bottom + 20, amount(x), 'middle')),
    ...curves.map((curve, index) => drawCurve(curve, index, xOf, yOf)),
    '</svg>',
    '',
  ].join('\n');
}

function drawCurve(
  { name, points }: Curve,
  index: number,
  xOf: (x: number) => number,
  yOf: (y: number) => number,
): string {
  const color = colors[index % colors.length];
  const places = points.map(({ x, y }) => `${round(xOf(x))},${round(yOf(y))}`);
  const dots = points.map(
    ({ x, y }) => `<circle cx="${round(xOf(x))}" cy="${round(yOf(y))}" r="3" fill="${color}"/>`,
  );
  const keyY = plot.top + 10 + index * 20;
  return [
    `<polyline points="${places.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...dots,
    `<rect x="${plot.right + 16}" y="${keyY - 8}" width="12" height="4" fill="${color}"/>`,
    label(plot.right + 34, keyY, name, 'start'),
  ].join('');
}

function logScale(min: number, max: number): (x: number) => number {
  const width = Math.log(max / min);
  const part = (x: number) => (width === 0 ? 0.5 : Math.log(x / min) / width);
  return (x) => plot.left + part(x) * (plot.right - plot.left);
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

function amount(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

function label(x: number, y: number, text: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ${more}>${toXmlText(text)}</text>`;
}

function toXmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function round(value: number): string {
  return value.toFixed(1);
}
