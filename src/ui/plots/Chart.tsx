/**
 * A plotly chart that follows the stores by itself: it subscribes outside React's render, compares references,
 * redraws at most a few times a second, and loads plotly when there is first something to draw.
 */
import { Button, Group, Text } from '@mantine/core'
import type { Data, Layout } from 'plotly.js'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { download } from '../download'
import type { ReadableStore } from '../readableStore'
import type { Colours, ColourScheme } from '../theme'
import { colours } from '../theme'
import { useScheme } from '../useColours'
import { Figure } from './Figure'
import { drawInTurn, type Plotly } from './plotly'

const REDRAW_MILLISECONDS = 250
/** Empty charts take little room, so that the page says more before the first run. */
const EMPTY_HEIGHT = 64

export interface ChartContent {
  readonly data: Data[]
  readonly layout: Partial<Layout>
  /** The plot in words, with its numbers. */
  readonly description: string
}

export interface ChartProps<State> {
  readonly labs: readonly ReadableStore<State>[]
  /** Parts of the state that the chart shows; it is redrawn when one of them is another object. */
  readonly watch: (lab: State) => readonly unknown[]
  /** Null while there is nothing to draw. */
  readonly build: (labs: readonly State[], colours: Colours, scheme: ColourScheme) => ChartContent | null
  readonly title: ReactNode
  readonly caption: ReactNode
  /** Shown while there is nothing to draw. */
  readonly empty: string
  readonly height: number
  /** Stem of the exported file. */
  readonly fileName: string
  readonly testId?: string
}

export function Chart<State>(props: ChartProps<State>) {
  const { labs, watch, build, title, caption, empty, height, fileName, testId } = props
  const element = useRef<HTMLDivElement>(null)
  const drawn = useRef<Plotly | null>(null)
  const scheme = useScheme()
  const [description, setDescription] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    const container = element.current!
    let timer: ReturnType<typeof setTimeout> | undefined
    let watched: readonly unknown[] = []
    let lastDraw = 0
    let ended = false
    let newest = 0

    const draw = async () => {
      timer = undefined
      lastDraw = performance.now()
      const states = labs.map((lab) => lab.getState())
      watched = states.flatMap(watch)
      const content = build(states, colours[scheme], scheme)
      newest += 1
      const mine = newest
      if (!content) {
        drawn.current?.purge(container)
        drawn.current = null
        setDescription(null)
        return
      }
      const show = (plotly: Plotly, data: Data[], layout: Partial<Layout>) =>
        plotly.react(
          container,
          data,
          { ...layout, width: container.clientWidth, height },
          { displayModeBar: false, responsive: false },
        )
      try {
        // The first of all draws compiles much of plotly: axes and data each in a task of its own.
        if (!drawn.current) {
          await drawInTurn(async (plotly) => {
            if (ended || mine !== newest) return
            drawn.current = plotly
            setDescription(content.description)
            await show(plotly, [], structuredClone(content.layout))
          })
        }
        await drawInTurn(async (plotly) => {
          if (ended || mine !== newest) return
          setDescription(content.description)
          await show(plotly, content.data, content.layout)
        })
      } catch (error) {
        if (ended) return
        console.error('The plots could not be loaded.', error)
        setFailed(true)
      }
    }
    const schedule = () => {
      timer ??= setTimeout(() => void draw(), Math.max(0, lastDraw + REDRAW_MILLISECONDS - performance.now()))
    }
    const unsubscribes = labs.map((lab) =>
      lab.subscribe(() => {
        const now = labs.flatMap((each) => watch(each.getState()))
        if (now.some((part, k) => part !== watched[k])) schedule()
      }),
    )
    let width = container.clientWidth
    const observer = new ResizeObserver(() => {
      if (container.clientWidth === width) return
      width = container.clientWidth
      schedule()
    })
    observer.observe(container)
    void draw()
    return () => {
      ended = true
      clearTimeout(timer)
      for (const unsubscribe of unsubscribes) unsubscribe()
      observer.disconnect()
      drawn.current?.purge(container)
      drawn.current = null
    }
  }, [labs, watch, build, scheme, height, attempt])

  // On white paper, whatever the theme.
  const save = async () => {
    const content = build(
      labs.map((lab) => lab.getState()),
      colours.light,
      'light',
    )
    if (!content || !drawn.current) return
    const { data, layout } = content
    const width = element.current!.clientWidth
    const url = await drawn.current.toImage(
      { data, layout: { ...layout, width, height, paper_bgcolor: colours.light.background } },
      { format: 'png', width, height, scale: 3 },
    )
    download(await (await fetch(url)).blob(), `${fileName}.png`)
  }

  const shownHeight = description === null ? EMPTY_HEIGHT : height
  return (
    <Figure
      title={title}
      caption={caption}
      testId={testId}
      onExport={description ? save : undefined}
      exportLabel={`Save “${fileName}” as PNG`}
    >
      <div style={{ position: 'relative', height: shownHeight }}>
        <div ref={element} role="img" aria-label={description ?? empty} style={{ height: shownHeight }} />
        {description === null && (
          <Group style={{ position: 'absolute', inset: 0 }} justify="center" className="placeholder">
            {failed ? (
              <Button
                variant="default"
                size="xs"
                onClick={() => {
                  setFailed(false)
                  setAttempt(attempt + 1)
                }}
              >
                The plot could not be loaded. Try again
              </Button>
            ) : (
              <Text size="xs" c="dimmed" ta="center" px="md">
                {empty}
              </Text>
            )}
          </Group>
        )}
      </div>
    </Figure>
  )
}
