/** Three sentences and an equation beside each part, in the plots' colours. */
import { Text } from '@mantine/core'
import { useStore } from 'zustand'
import { imageMethods } from '../../experiments/images/methodDefinitions'
import layout from '../labLayout.module.css'
import { Subscripts } from '../math/Subscripts'
import { Coloured } from '../math/Coloured'
import { Tex } from '../math/Tex'
import { Equation } from '../math/Equation'
import { estimateTex } from '../math/methodTex'
import { useColours } from '../useColours'
import type { ImagesStore } from './stores'

/** Below the three pictures. */
export function PicturesExplanation({ lab }: { lab: ImagesStore }) {
  const colours = useColours()
  const { truth, observation, methods } = colours
  const method = useStore(lab, (state) => state.settings.method)
  const { name, explanation, reference } = imageMethods[method]
  const y = `\\textcolor{${observation}}{y}`
  const A = `\\textcolor{${observation}}{A}`
  return (
    <section className={layout.explanation} aria-label="What the pictures show">
      <div>
        <Text size="sm">
          The <Coloured colour={observation}>observation</Coloured> y is what a camera or scanner would give:
          it says less than the <Coloured colour={truth}>original</Coloured> x, and with noise. The denoiser
          knows what images look like. Drawing from the posterior puts both together: each restoration is an
          image that the prior thinks likely and that would have given this observation.
        </Text>
        <Equation
          label="Observation and posterior"
          tex={`\\begin{gathered} ${y} = ${A}\\, \\textcolor{${truth}}{x} + n, \\quad n \\sim \\mathcal{N}(0,\\, \\textcolor{${observation}}{\\sigma_y^2} I) \\\\ p(x \\mid ${y}) \\;\\propto\\; p(x)\\; \\mathcal{N}\\!\\left(${y} \\mid ${A} x,\\, \\textcolor{${observation}}{\\sigma_y^2} I\\right) \\end{gathered}`}
        />
      </div>
      <div>
        <Text size="sm">
          <Coloured colour={methods[method]}>{name}</Coloured> <Subscripts text={explanation} />{' '}
          <Text span inherit c="dimmed">
            {reference}.
          </Text>
        </Text>
        <Equation label={`Equation of ${name}`} tex={estimateTex(method, colours)} />
        <Text size="xs" c="dimmed">
          <Tex tex="\hat{x} = d(x_t) = \mathbb{E}[x \mid x_t]" /> is the denoiser,{' '}
          <Tex tex="J = \partial \hat{x} / \partial x_t" /> its Jacobian, whose products the browser derives
          from the model’s graph, and <Tex tex="r = y - A \hat{x}" /> the residual.
        </Text>
      </div>
    </section>
  )
}

/** Beside the curves. */
export function MisfitExplanation() {
  const { observation } = useColours()
  const y = `\\textcolor{${observation}}{y}`
  const A = `\\textcolor{${observation}}{A}`
  return (
    <aside>
      <Text size="sm">
        The misfit says how far the measured image lies from <Coloured colour={observation}>y</Coloured>, in
        units of the noise. The true image has a misfit of about 1, for the noise itself is that far away.
        Less means that the noise was fitted as well; much more, that the observation was not heard.
      </Text>
      <Equation
        label="Misfit"
        tex={`\\frac{\\lVert ${A} x - ${y} \\rVert}{\\textcolor{${observation}}{\\sigma_y} \\sqrt{m}} \\;\\approx\\; 1 \\pm \\frac{1}{\\sqrt{2m}}`}
      />
      <Text size="xs" c="dimmed">
        m counts the numbers in y.
      </Text>
    </aside>
  )
}

export function CompareExplanation() {
  const { methods } = useColours()
  const V = (method: 'mmps' | 'tmpd' | 'pigdm', tex: string) => `\\textcolor{${methods[method]}}{V} = ${tex}`
  return (
    <aside>
      <Text size="sm">
        All methods use the same denoiser, observation and noise; they differ in how uncertain they take x to
        be once x<sub>t</sub> is known. <Coloured colour={methods.mmps}>MMPS</Coloured> reads it off the
        denoiser’s Jacobian, and pays with k + 1 products a step. At equal evaluations the cheaper methods are
        given as many more steps.
      </Text>
      <Equation
        label="Covariances of the methods"
        tex={`\\begin{aligned} \\text{MMPS:}\\; & ${V('mmps', '\\sigma_t^2 J^\\top')} \\\\ \\text{TMPD:}\\; & ${V('tmpd', '\\operatorname{diag}(\\sigma_t^2 J^\\top 1)')} \\\\ \\Pi\\text{GDM:}\\; & ${V('pigdm', '\\tfrac{\\sigma_t^2}{1 + \\sigma_t^2} I')} \\end{aligned}`}
      />
    </aside>
  )
}
