/** The corner plot's look in a theme, and the plot as a PNG of its own. */
import { colours, fontFamily, sequentialRamp, type ColourScheme } from '../theme'
import { canvasToPng } from './canvasPng'
import { drawCorner, type CornerContent, type CornerStyle } from './cornerCanvas'

const styles = new Map<string, CornerStyle>()

/** `learned`: the colour of the run that is drawn below the diagonal. The same arguments give the same object. */
export function cornerStyle(scheme: ColourScheme, learned: string): CornerStyle {
  const key = `${scheme} ${learned}`
  const known = styles.get(key)
  if (known) return known
  const { truth, observation, text, dimmed, frame, grid, panel } = colours[scheme]
  const style = {
    truthRamp: sequentialRamp(truth, scheme),
    learnedRamp: sequentialRamp(learned, scheme),
    truth,
    learned,
    points: observation,
    text,
    dimmed,
    frame,
    grid,
    panel,
    fontFamily,
  }
  styles.set(key, style)
  return style
}

const TITLE_HEIGHT = 40

/** The plot on white paper, with a legend above it. Errors: the browser cannot encode so large a picture. */
export function cornerToPng(
  content: CornerContent,
  style: CornerStyle,
  title: readonly string[],
): Promise<Blob> {
  return canvasToPng({
    head: TITLE_HEIGHT,
    drawHead(context, width) {
      let x = 36
      for (const [colour, label] of [
        [style.learned, 'learned'],
        [style.truth, 'truth'],
      ] as const) {
        if (label === 'truth' && !content.truth) continue
        context.fillStyle = colour
        context.fillRect(x, 16, 13, 13)
        context.fillStyle = style.text
        context.fillText(label, x + 20, 23)
        x += 36 + context.measureText(label).width
      }
      context.textAlign = 'right'
      context.fillText(title.join(', '), width - 36, 23)
    },
    drawPlot: (layer, side) => drawCorner(layer, side, content, style),
  })
}
