import type { Plot } from './scenario.ts'

const width = 640
const height = 360
const left = 60
const right = 150
const top = 36
const bottom = 46

/** Colours that people with any colour vision can tell apart (Okabe and Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']

interface Axis {
  readonly least: number
  readonly greatest: number
  readonly log: boolean
}

/** A line chart as an SVG document. */
export function svgOf(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points)
  const x = axisOf(
    points.map(([value]) => value),
    plot.logX ?? false,
  )
  const y = axisOf(
    points.map(([, value]) => value),
    plot.logY,
  )
  const placeX = (value: number): number => left + partOf(value, x) * (width - left - right)
  const placeY = (value: number): number =>
    height - bottom - partOf(value, y) * (height - top - bottom)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 20, plot.title, 'font-size="14" font-weight="bold"'),
    ...ticksOf(y).map((value) => gridLine(placeY(value), label(value))),
    ...ticksOf(x).map((value) =>
      text(round(placeX(value)), height - bottom + 16, label(value), centred),
    ),
    text((left + width - right) / 2, height - 8, plot.xLabel, centred),
    text(
      0,
      0,
      plot.yLabel,
      `${centred} transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)"`,
    ),
    ...plot.series.map((series, at) => {
      const place = series.points.map(([px, py]) => `${round(placeX(px))},${round(placeY(py))}`)
      return `<polyline fill="none" stroke="${colourAt(at)}" stroke-width="2" points="${place.join(' ')}"/>`
    }),
    ...plot.series.map((series, at) => legend(series.name, at)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

const centred = 'text-anchor="middle"'

function gridLine(y: number, mark: string): string {
  const place = round(y)
  const line = `<path d="M${left} ${place}H${width - right}" stroke="#ddd"/>`
  return line + text(left - 6, place + 4, mark, 'text-anchor="end"')
}

function legend(name: string, at: number): string {
  const y = top + 10 + at * 18
  const x = width - right + 12
  const line = `<path d="M${x} ${y}h18" stroke="${colourAt(at)}" stroke-width="3"/>`
  return line + text(x + 24, y + 4, name, '')
}

function text(x: number, y: number, content: string, attributes: string): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" ${attributes}>${safe}</text>`
}

function colourAt(at: number): string {
  return colours[at % colours.length] as string
}

function axisOf(values: readonly number[], log: boolean): Axis {
  const least = Math.min(...values)
  const greatest = Math.max(...values)
  if (log) return { least, greatest, log }
  const margin = (greatest - least) * 0.05 || 1
  return { least: Math.max(0, least - margin), greatest: greatest + margin, log }
}

function partOf(value: number, { least, greatest, log }: Axis): number {
  if (log) return Math.log(value / least) / Math.log(greatest / least)
  return (value - least) / (greatest - least)
}

function ticksOf({ least, greatest, log }: Axis): number[] {
  const ticks: number[] = []
  if (log) {
    for (let power = Math.floor(Math.log10(least)); 10 ** power <= greatest; power++) {
      for (const step of [1, 2, 5]) ticks.push(step * 10 ** power)
    }
    return ticks.filter((value) => value >= least * 0.999 && value <= greatest * 1.001)
  }
  const rough = (greatest - least) / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  for (let at = Math.ceil(least / step); at * step <= greatest; at++) ticks.push(at * step)
  return ticks
}

function label(value: number): string {
  return String(Number(value.toPrecision(6)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
