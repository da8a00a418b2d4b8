/** What stands at #lab=images until that lab is built. */
import { Anchor, Text, Title } from '@mantine/core'
import { activeLab } from '../store/route'
import { labLink } from './labLink'

export function ImagesToCome() {
  return (
    <main style={{ maxWidth: 620, margin: '10vh auto', padding: '0 20px' }} data-testid="images-to-come">
      <Title order={2} size="h3">
        The images lab is not built yet
      </Title>
      <Text mt="sm">
        It will take the same posterior sampler to pictures: fill in what is missing, sharpen what is blurred.
        Until then, the <Anchor {...labLink('manifold', activeLab.getState().go)}>manifold lab</Anchor> learns
        a prior from shadows, and the{' '}
        <Anchor {...labLink('posterior', activeLab.getState().go)}>posterior lab</Anchor> holds each sampler
        against the exact answer.
      </Text>
    </main>
  )
}
