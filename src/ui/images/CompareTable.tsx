/** The comparison's numbers, the best of each column marked. */
import { Text } from '@mantine/core'
import type { CompareRow } from '../../store/images/types'
import { MethodRow, NumberTable } from '../controls/NumberTable'
import { useColours } from '../useColours'
import { bestColumns, compareColumns } from './compareColumns'
import classes from './images.module.css'

/** `samples`: of each method. */
export function CompareTable({ rows, samples }: { rows: readonly CompareRow[]; samples: number }) {
  const { methods } = useColours()
  const best = bestColumns(rows)
  return (
    <>
      <NumberTable title="method" columns={compareColumns} className={classes.numbers} testId="compare-table">
        {rows.map((row, k) => (
          <MethodRow
            key={row.label}
            row={row}
            columns={compareColumns}
            best={best[k]}
            name={row.label}
            colour={methods[row.method]}
            testId={`row-${row.method}`}
          />
        ))}
      </NumberTable>
      <Text size="xs" c="dimmed" mt={4}>
        {best.some((columns) => columns.size > 0) && '● bold: nearest to the ideal in its column. '}
        {samples > 1 && `Numbers are means over ${samples} samples; the pictures are the first of them.`}
      </Text>
    </>
  )
}
