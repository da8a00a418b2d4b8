/** Three sentences and an equation for each plot, in the plots' colours. */
import { Text } from '@mantine/core'
import { useStore } from 'zustand'
import layout from '../labLayout.module.css'
import { Coloured } from '../math/Coloured'
import { Tex } from '../math/Tex'
import { useColours } from '../useColours'
import { Equation } from '../math/Equation'
import type { PosteriorStore } from './stores'

export function Figure1Explanation({ lab }: { lab: PosteriorStore }) {
  const { truth, observation } = useColours()
  const learned = useStore(lab, (state) => state.scene?.exactOf === 'curve')
  const y = `\\textcolor{${observation}}{y}`
  const A = `\\textcolor{${observation}}{A}`
  return (
    <section className={layout.explanation} aria-label="What the pictures show">
      <Text size="sm">
        An <Coloured colour={observation}>observation</Coloured> says only how far along one direction the
        point lies, so the prior has to say where on the line it is. The{' '}
        <Coloured colour={truth}>exact posterior</Coloured>{' '}
        {learned
          ? 'of the curve that the network was trained on is known in closed form'
          : 'is known in closed form here, for the prior is a mixture of Gaussians'}
        . Both methods start from the same noise and take the same steps: what differs between the pictures is
        only how each estimates <Tex tex="\mathbb{E}[x \mid x_t, y]" />.
      </Text>
      <div>
        <Equation
          label="Exact posterior"
          tex={`\\textcolor{${truth}}{p(x \\mid y)} \\;\\propto\\; p(x)\\; \\mathcal{N}\\!\\left(${y} \\mid ${A} x,\\, \\textcolor{${observation}}{\\sigma_y^2} I\\right)`}
        />
        <Text size="xs" c="dimmed">
          In the methods’ equations <Tex tex="\hat{x} = d(x_t) = \mathbb{E}[x \mid x_t]" /> is the denoiser,{' '}
          <Tex tex="J = \partial \hat{x} / \partial x_t" /> its Jacobian, and <Tex tex="r = y - A \hat{x}" />{' '}
          the residual.
        </Text>
      </div>
    </section>
  )
}

export function TableExplanation() {
  const { truth, observation } = useColours()
  const y = `\\textcolor{${observation}}{y}`
  const A = `\\textcolor{${observation}}{A}`
  return (
    <aside>
      <Text size="sm">
        The divergence says how far a method’s samples lie from the{' '}
        <Coloured colour={truth}>exact posterior</Coloured>: what remains in the exact row is chance. Half of
        the samples ought to lie in the region that holds 50 % of the exact posterior, and 90 % in that of 90
        %: more means too narrow, less means astray. Consistency near that of the exact row means that the
        samples explain <Coloured colour={observation}>y</Coloured> as well as they should, and no better.
      </Text>
      <Equation
        label="Consistency and divergence"
        tex={`\\begin{gathered} \\textstyle\\frac{1}{m}\\, \\mathbb{E}\\left[\\lVert ${y} - ${A} x \\rVert^2\\right] / \\textcolor{${observation}}{\\sigma_y^2} \\\\ S = T(\\textcolor{${truth}}{u_1}, v) - T(\\textcolor{${truth}}{u_1}, \\textcolor{${truth}}{u_2}) \\end{gathered}`}
      />
    </aside>
  )
}

export function Figure2Explanation() {
  const { truth, observation, covariances } = useColours()
  const V = `\\textcolor{${covariances.tweedie}}{V}`
  const A = `\\textcolor{${observation}}{A}`
  const y = `\\textcolor{${observation}}{y}`
  return (
    <aside>
      <Text size="sm">
        At one noise level, only the likelihood of <Coloured colour={observation}>y</Coloured> has to be
        approximated, and the covariance <Coloured colour={covariances.tweedie}>V</Coloured> is all that the
        methods disagree on. The curves tell how far each approximation q lies from the{' '}
        <Coloured colour={truth}>exact p</Coloured>; each seed is another random curve. Where{' '}
        <Tex tex="\sigma_t" /> is between 0.1 and 2, and the curve bends within the noise, only the covariance
        of Tweedie’s formula keeps close.
      </Text>
      <Equation
        label="Approximate posterior at a noise level"
        tex={`\\begin{gathered} q(x_t \\mid ${y}) \\propto p(x_t)\\, \\mathcal{N}(${y} \\mid ${A}\\hat{x},\\, \\textcolor{${observation}}{\\Sigma_y} + ${A} ${V} ${A}^\\top) \\\\ ${V} \\approx \\mathbb{V}[x \\mid x_t] \\end{gathered}`}
      />
    </aside>
  )
}
