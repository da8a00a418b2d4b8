/** A finished run in numbers: each sample and the mean against the original and the observation, and what it cost. */
import { Group, Table, Text, Title } from '@mantine/core'
import { useStore } from 'zustand'
import type { RunResult } from '../../store/images/types'
import { CopyTableButton } from '../controls/CopyTableButton'
import { NumberTable } from '../controls/NumberTable'
import { formatCount, formatMeasure, formatSeconds } from '../format'
import { shownResult } from './busy'
import classes from './images.module.css'
import { decibels, mean, similarity } from './pictureText'
import type { ImagesStore } from './stores'

const COLUMNS = [
  {
    label: 'PSNR',
    explanation: 'Peak signal-to-noise ratio against the original: higher is nearer, pixel by pixel.',
  },
  { label: 'SSIM', explanation: 'Structural similarity to the original: 1 is the same.' },
  {
    label: 'misfit',
    explanation: 'Distance of A x from y in units of the noise: 1 is what the true image has.',
  },
] as const

export function ResultNumbers({ lab }: { lab: ImagesStore }) {
  const result = useStore(lab, ({ run }) => shownResult(run))
  const wanted = useStore(lab, (state) => state.settings.samples)
  return (
    <section aria-label="The run in numbers">
      <Group justify="space-between" mb={4} mih={28}>
        <Title order={3} size="sm">
          In numbers
        </Title>
        {result && <CopyTableButton text={resultAsText(result)} />}
      </Group>
      <Rows result={result} count={result?.psnr.length ?? wanted} />
    </section>
  )
}

/** Without a result a dash stands for each number, so that nothing moves when they come. */
function Rows({ result, count }: { result: RunResult | null; count: number }) {
  const average = (values: readonly number[] | undefined) => (values ? mean(values) : Number.NaN)
  return (
    <>
      <NumberTable columns={COLUMNS} className={classes.numbers} testId="numbers">
        {Array.from({ length: count }, (_, k) => (
          <Table.Tr key={`sample ${k + 1}`}>
            <Table.Th scope="row" fw={400}>
              sample {k + 1}
            </Table.Th>
            <Table.Td ta="right">{decibels(result?.psnr[k] ?? Number.NaN)}</Table.Td>
            <Table.Td ta="right">{similarity(result?.ssim[k] ?? Number.NaN)}</Table.Td>
            <Table.Td ta="right">{formatMeasure(result?.misfit[k])}</Table.Td>
          </Table.Tr>
        ))}
        {count > 1 && (
          <>
            <Table.Tr>
              <Table.Th scope="row">average</Table.Th>
              <Table.Td ta="right">{decibels(average(result?.psnr))}</Table.Td>
              <Table.Td ta="right">{similarity(average(result?.ssim))}</Table.Td>
              <Table.Td ta="right">{formatMeasure(result ? mean(result.misfit) : undefined)}</Table.Td>
            </Table.Tr>
            <Table.Tr>
              <Table.Th scope="row">mean image</Table.Th>
              <Table.Td ta="right">{decibels(result?.meanPsnr ?? Number.NaN)}</Table.Td>
              <Table.Td ta="right">{similarity(result?.meanSsim ?? Number.NaN)}</Table.Td>
              <Table.Td ta="right">–</Table.Td>
            </Table.Tr>
          </>
        )}
      </NumberTable>
      <Text size="xs" c="dimmed" mt={4} data-testid={result ? 'costs' : undefined}>
        {result ? costs(result) : 'They appear with the result.'}
      </Text>
    </>
  )
}

function costs({ settings, passes, seconds }: RunResult): string {
  const { forward, vjp, jvp } = passes
  const products = [vjp > 0 && ` + ${formatCount(vjp)} VJP`, jvp > 0 && ` + ${formatCount(jvp)} JVP`]
  return `${formatCount(settings.steps)} steps · ${formatCount(forward)} forward${products.filter(Boolean).join('')} passes · ${formatSeconds(seconds)}`
}

/** Tab-separated, for a spreadsheet. Full precision. */
export function resultAsText({ psnr, ssim, misfit, meanPsnr, meanSsim }: RunResult): string {
  const lines = psnr.map((value, k) => [k + 1, value, ssim[k], misfit[k]].join('\t'))
  return ['sample\tpsnr\tssim\tmisfit', ...lines, ['mean image', meanPsnr, meanSsim, ''].join('\t')].join(
    '\n',
  )
}
