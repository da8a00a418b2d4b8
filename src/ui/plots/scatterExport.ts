/** A scatter plot's look in a theme, and the plot as a PNG of its own. */
import { colours, fontFamily, type ColourScheme } from '../theme'
import { canvasToPng } from './canvasPng'
import type { LegendItem } from './Legend'
import { drawScatter, sampleCount } from './scatterCanvas'
import type { ScatterContent, ScatterStyle } from './scatterTypes'

/** `samples`: the colour of the method that made them. */
export function scatterStyle(scheme: ColourScheme, samples: string): ScatterStyle {
  const { truth, observation, text, dimmed, frame, grid, panel } = colours[scheme]
  return { truth, samples, observation, text, dimmed, frame, grid, panel, fontFamily }
}

const LINE = 24

/** The plot on white paper below its legend. Errors: the browser cannot encode so large a picture. */
export function scatterToPng(
  content: ScatterContent,
  style: ScatterStyle,
  legend: readonly LegendItem[],
): Promise<Blob> {
  return canvasToPng({
    head: LINE * legend.length + 14,
    drawHead(context) {
      legend.forEach(({ colour, label }, k) => {
        const y = 12 + LINE * (k + 0.5)
        context.fillStyle = colour
        context.fillRect(34, y - 7, 13, 13)
        context.fillStyle = style.text
        context.fillText(label, 54, y)
      })
    },
    drawPlot(layer, side, scale) {
      const pixels = { samples: new Float32Array(3 * sampleCount(content)), count: 0 }
      drawScatter(layer, side, scale, content, style, pixels)
    },
  })
}
