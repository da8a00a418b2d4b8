/** The comparison's numbers, the best of each column marked. */
import { Table, Text, Tooltip, VisuallyHidden } from '@mantine/core'
import type { CompareRow } from '../../store/images/types'
import controls from '../controls/controls.module.css'
import { useColours } from '../useColours'
import { bestColumns, compareColumns } from './compareColumns'
import classes from './images.module.css'

/** `samples`: of each method. */
export function CompareTable({ rows, samples }: { rows: readonly CompareRow[]; samples: number }) {
  const { methods } = useColours()
  const best = bestColumns(rows)
  return (
    <>
      <div className={classes.tableWrap}>
        <Table
          fz="xs"
          verticalSpacing={3}
          horizontalSpacing={8}
          className={classes.numbers}
          data-testid="compare-table"
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>method</Table.Th>
              {compareColumns.map(({ key, label, explanation }) => (
                <Table.Th key={key} ta="right">
                  <Tooltip label={explanation}>
                    <span>{label}</span>
                  </Tooltip>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, k) => (
              <Table.Tr key={row.label} data-testid={`row-${row.method}`}>
                <Table.Th scope="row" fw={400} style={{ whiteSpace: 'nowrap' }}>
                  <span
                    className={controls.dot}
                    style={{ background: methods[row.method], marginRight: 6 }}
                    aria-hidden
                  />
                  {row.label}
                </Table.Th>
                {compareColumns.map(({ key, text }) => {
                  const isBest = best[k]!.has(key)
                  return (
                    <Table.Td key={key} ta="right" fw={isBest ? 700 : undefined}>
                      {isBest && <span aria-hidden>● </span>}
                      {text(row)}
                      {isBest && <VisuallyHidden> (best)</VisuallyHidden>}
                    </Table.Td>
                  )
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Text size="xs" c="dimmed" mt={4}>
        {best.some((columns) => columns.size > 0) && '● bold: nearest to the ideal in its column. '}
        {samples > 1 && `Numbers are means over ${samples} samples; the pictures are the first of them.`}
      </Text>
    </>
  )
}
