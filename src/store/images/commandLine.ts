/** The command that restores the same picture without a window: `npm run restore`, whose options are named as in a link. */
import { imagesPresets } from '../../experiments/images/presets'
import { imagesKeys } from '../../experiments/images/settings'
import { encodeBrush, encodeKernel } from './polylines'
import type { Crop, ImagesLabState } from './types'

/** Stands for the visitor's own picture or model, of which the page knows no path. */
const FOLDER = 'path/to'

type Shown = Pick<ImagesLabState, 'settings' | 'preset' | 'strokes' | 'drawnKernel'>

/**
 * @param crop null is the largest square in the middle
 * @param pictureName of the visitor's own picture
 */
export function commandLine(
  { settings, preset, strokes, drawnKernel }: Shown,
  crop: Crop | null,
  pictureName: string,
): string {
  const base = imagesPresets[preset].settings
  const words = ['npm run -s restore --', `--preset ${preset}`]
  const { image, model } = settings
  const isOwn = image === 'own'
  if (isOwn) words.push(`--image ${quoted(`${FOLDER}/${pictureName}`)}`)
  else if (image !== base.image) words.push(`--image ${image}`)
  // where it is not told, the model and its side are chosen for the visitor's picture
  if (model === 'own') words.push(`--model ${FOLDER}/model`)
  else if (isOwn || model !== base.model) words.push(`--model ${model}`)
  for (const key of imagesKeys) {
    if (settings[key] !== base[key] || (isOwn && key === 'side')) words.push(`--${key} ${settings[key]}`)
  }
  if (crop) words.push(`--crop ${crop.x},${crop.y},${crop.side}`)
  if (settings.task === 'brush' && strokes.length > 0) words.push(`--strokes ${encodeBrush(strokes)}`)
  // its text may begin with a hyphen
  if (settings.task === 'motion' && drawnKernel) words.push(`--kernel=${encodeKernel(drawnKernel)}`)
  return words.join(' ')
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
