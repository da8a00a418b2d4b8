/** The tour's card: a step's words, Back, Next and dots. It is not modal: the page beside it stays in use. */
import { Button, CloseButton, Group, Text, Title, UnstyledButton } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { activeLab } from '../../store/route'
import { Subscripts } from '../math/Subscripts'
import { highlight } from './highlight'
import { tourSteps, type TourStep } from './steps'
import classes from './tour.module.css'

/** Brings the page to what a step is about. A run of the manifold lab is never touched. */
async function enter(step: TourStep, isLeft: () => boolean): Promise<void> {
  if (!step.preset) return
  const { posteriorLab } = await import('../posterior/stores')
  const { preset, choosePreset } = posteriorLab().getState()
  if (!isLeft() && preset !== step.preset) choosePreset(step.preset)
}

function goTo(number: number): void {
  const step = tourSteps[number - 1]
  if (step) activeLab.getState().setTour(number, step.lab)
}

export function Tour() {
  const number = useStore(activeLab, (route) => route.tour) ?? 1
  const card = useRef<HTMLElement>(null)
  const step = tourSteps[number - 1]!
  const { setTour } = activeLab.getState()
  useEffect(() => {
    let left = false
    const target = tourSteps[number - 1]!
    activeLab.getState().setTour(number, target.lab)
    void enter(target, () => left).catch((error: unknown) => {
      console.info('The tour could not open its preset.', error)
    })
    const end = highlight(target.highlight)
    return () => {
      left = true
      end()
    }
  }, [number])
  // The keyboard finds the card, and screen readers read it.
  useEffect(() => card.current?.focus({ preventScroll: true }), [number])
  useEffect(() => {
    const element = card.current!
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'ArrowLeft') goTo(number - 1)
      else if (event.key === 'ArrowRight') goTo(number + 1)
      else if (event.key === 'Escape') activeLab.getState().setTour(null)
      else return
      event.preventDefault()
    }
    element.addEventListener('keydown', onKeyDown)
    return () => element.removeEventListener('keydown', onKeyDown)
  }, [number])
  return (
    <section
      ref={card}
      className={classes.card}
      aria-label={`Tour, step ${number} of ${tourSteps.length}`}
      data-side={step.side}
      tabIndex={-1}
      data-testid="tour-card"
    >
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
        <Title order={2} size="sm" data-testid="tour-title">
          {number}. {step.title}
        </Title>
        <CloseButton
          size="sm"
          aria-label="Close the tour"
          onClick={() => setTour(null)}
          data-testid="tour-close"
        />
      </Group>
      <Text size="sm" lh={1.45} className={classes.words}>
        <Subscripts text={step.text} />
      </Text>
      <Text size="sm" mt={6} lh={1.45} fw={600}>
        {step.attempt}
      </Text>
      <Group justify="space-between" mt="xs" wrap="nowrap">
        <Button
          size="xs"
          variant="default"
          disabled={number === 1}
          onClick={() => goTo(number - 1)}
          data-testid="tour-back"
        >
          Back
        </Button>
        <Group gap={2} wrap="nowrap">
          {tourSteps.map(({ title }, k) => (
            <UnstyledButton
              key={title}
              className={classes.dot}
              aria-label={`Step ${k + 1}: ${title}`}
              aria-current={k + 1 === number ? 'step' : undefined}
              onClick={() => goTo(k + 1)}
            />
          ))}
        </Group>
        {number < tourSteps.length ? (
          <Button size="xs" onClick={() => goTo(number + 1)} data-testid="tour-next">
            Next
          </Button>
        ) : (
          <Button size="xs" onClick={() => setTour(null)} data-testid="tour-end">
            Finish
          </Button>
        )}
      </Group>
    </section>
  )
}
