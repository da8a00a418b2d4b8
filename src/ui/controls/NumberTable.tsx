/** Numbers in columns that say what they are: a row a method or a sample, and the best of each column marked. */
import { Table, Tooltip, VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './controls.module.css'

interface Heading {
  readonly label: string
  /** For a tooltip. */
  readonly explanation: string
}

export interface NumberColumn<Row> extends Heading {
  readonly key: string
  readonly text: (row: Row) => string
}

interface NumberTableProps {
  /** Of the rows' names. */
  readonly title?: string
  readonly columns: readonly Heading[]
  readonly className?: string | undefined
  readonly testId: string
  /** Table.Tr. */
  readonly children: ReactNode
}

export function NumberTable({ title, columns, className, testId, children }: NumberTableProps) {
  return (
    <div className={classes.tableWrap}>
      <Table fz="xs" verticalSpacing={3} horizontalSpacing={8} className={className} data-testid={testId}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{title}</Table.Th>
            {columns.map(({ label, explanation }) => (
              <Table.Th key={label} ta="right">
                <Tooltip label={explanation}>
                  <span>{label}</span>
                </Tooltip>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  )
}

interface MethodRowProps<Row> {
  readonly row: Row
  readonly columns: readonly NumberColumn<Row>[]
  /** Keys of the columns in which it is best. */
  readonly best: ReadonlySet<string> | undefined
  readonly name: ReactNode
  readonly colour: string
  readonly weight?: number
  readonly testId: string
}

export function MethodRow<Row>(props: MethodRowProps<Row>) {
  const { row, columns, best, name, colour, weight = 400, testId } = props
  return (
    <Table.Tr data-testid={testId}>
      <Table.Th scope="row" fw={weight} style={{ whiteSpace: 'nowrap' }}>
        <span className={classes.dot} style={{ background: colour, marginRight: 6 }} aria-hidden />
        {name}
      </Table.Th>
      {columns.map(({ key, text }) => {
        const isBest = best?.has(key) === true
        return (
          <Table.Td key={key} ta="right" fw={isBest ? 700 : undefined}>
            {isBest && <span aria-hidden>● </span>}
            {text(row)}
            {isBest && <VisuallyHidden> (best)</VisuallyHidden>}
          </Table.Td>
        )
      })}
    </Table.Tr>
  )
}
