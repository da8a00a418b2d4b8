/** A picture on a canvas of its own size, enlarged without smoothing where its pixels are few. */
import { useEffect, useRef } from 'react'
import type { Picture } from '../../store/images/types'
import classes from './pictures.module.css'

/** Pictures with a longer side than this are smoothed when they are enlarged. */
const LARGEST_PIXEL_ART = 320

interface PictureCanvasProps {
  readonly picture: Picture
  /** What is seen, for screen readers; an empty text marks decoration. */
  readonly label: string
  readonly className?: string | undefined
  readonly testId?: string
}

export function PictureCanvas({ picture, label, className, testId }: PictureCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height, data } = picture
  useEffect(() => {
    const context = canvas.current!.getContext('2d')
    context?.putImageData(new ImageData(data, width, height), 0, 0)
  }, [data, width, height])
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role={label ? 'img' : undefined}
      aria-label={label || undefined}
      aria-hidden={label ? undefined : true}
      className={`${classes.canvas} ${className ?? ''}`}
      data-pixelated={Math.max(width, height) <= LARGEST_PIXEL_ART || undefined}
      data-testid={testId}
    />
  )
}
