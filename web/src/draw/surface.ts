/** A canvas in CSS pixels: sized for the screen's pixel ratio (2 at most), cleared, ready to draw. */

const ratioMax = 2
/** Browsers draw nothing on a canvas whose longer side exceeds their limit (16,384 in some). */
const sideMax = 8192
export const axisFont = '11px system-ui, sans-serif'
export const axisBoldFont = '600 11px system-ui, sans-serif'

function pixelRatio(): number {
  return Math.min(ratioMax, devicePixelRatio || 1)
}

/** Clears the canvas and returns its context scaled to CSS pixels. A canvas with too long a side is drawn coarser. */
export function beginDrawing(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = Math.min(pixelRatio(), sideMax / Math.max(1, width, height))
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  const context = canvas.getContext('2d')!
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = axisFont
  context.textBaseline = 'middle'
  return context
}

const widthsMax = 2000
const widths = new Map<string, number>()

/** Width of a text in the axis font. Up to 2,000 widths are cached; the least recently used is dropped. */
export function textWidth(context: CanvasRenderingContext2D, text: string): number {
  const known = widths.get(text)
  if (known !== undefined) {
    widths.delete(text)
    widths.set(text, known)
    return known
  }
  const width = context.measureText(text).width
  widths.set(text, width)
  if (widths.size > widthsMax) widths.delete(widths.keys().next().value!)
  return width
}
