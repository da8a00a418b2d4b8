/** The method in four equations, in the colours of the plots. */
import { Collapse, Stack, Text, Title, UnstyledButton } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { useStore } from 'zustand'
import { useLabs } from '../labs'
import { Tex } from '../math/Tex'
import { useColours } from '../useColours'
import classes from './lab.module.css'

export function HowItWorks() {
  const { a } = useLabs()
  // Open on the first visit; makes room for the curves when the run starts, unless the reader chose otherwise.
  const fresh = useStore(a, (state) => state.iterations.length === 0 && state.status !== 'running')
  const [chosen, setChosen] = useState<boolean | null>(null)
  const opened = chosen ?? fresh
  const { truth, learned, observation, covariances } = useColours()
  const id = useId()
  const x = `\\textcolor{${truth}}{x}`
  const y = `\\textcolor{${observation}}{y}`
  const A = `\\textcolor{${observation}}{A}`
  const d = `\\textcolor{${learned}}{d_\\theta}`
  const J = `\\textcolor{${learned}}{J}`
  const V = `\\textcolor{${covariances.tweedie}}{V}`
  const steps = [
    {
      text: (
        <>
          Every point <i>x</i> on the unknown curve is seen once, through its own random projection <i>A</i>,
          with noise. No point is ever seen whole.
        </>
      ),
      tex: `${y} = ${A}\\,${x} + n, \\qquad n \\sim \\mathcal{N}(0, \\sigma_y^2 I)`,
    },
    {
      text: (
        <>
          A network learns to remove noise. Its output is the mean of <i>x</i> given the noisy <i>x</i>
          <sub>t</sub>, and its Jacobian gives the covariance (Tweedie).
        </>
      ),
      tex: `${d}(x_t) \\approx \\mathbb{E}[x \\mid x_t], \\quad ${V} = \\sigma_t^2\\,${J}^{\\top} \\approx \\mathbb{V}[x \\mid x_t]`,
    },
    {
      text: 'E step: for every observation, draw a point that the prior finds plausible and that explains the observation. Both moments enter (MMPS).',
      tex: `\\begin{gathered} \\mathbb{E}[x \\mid x_t, ${y}] \\approx ${d}(x_t) \\, + \\\\ \\sigma_t^2\\,${J}^{\\top} ${A}^{\\top} \\left(\\sigma_y^2 I + ${A}\\,${V}\\,${A}^{\\top}\\right)^{-1} \\left(${y} - ${A}\\,${d}(x_t)\\right) \\end{gathered}`,
    },
    {
      text: 'M step: train the network on those points, and start over. With each round the points get closer to the curve.',
      tex: `\\textcolor{${learned}}{\\theta} \\leftarrow \\arg\\min_{\\theta}\\; \\mathbb{E}\\left[ \\lambda_t \\left\\lVert ${d}(x + \\sigma_t z) - x \\right\\rVert^2 \\right]`,
    },
  ]
  return (
    <section aria-label="How it works">
      <UnstyledButton
        onClick={() => setChosen(!opened)}
        aria-expanded={opened}
        aria-controls={id}
        data-testid="how-it-works"
        style={{ display: 'flex', alignItems: 'center', gap: 6 }}
      >
        <Title order={2} size="md">
          How it works
        </Title>
        <IconChevronDown size={18} style={{ transform: opened ? 'rotate(180deg)' : undefined }} />
      </UnstyledButton>
      <Collapse expanded={opened} id={id}>
        {opened && (
          <Stack gap="md" mt="xs" component="ol" pl={20} m={0}>
            {steps.map(({ text, tex }) => (
              <li key={tex}>
                <Text size="sm">{text}</Text>
                <div className={classes.equations} role="group" aria-label="Equation">
                  <Tex tex={tex} block />
                </div>
              </li>
            ))}
          </Stack>
        )}
      </Collapse>
    </section>
  )
}
