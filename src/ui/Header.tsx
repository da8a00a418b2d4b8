/** Name, labs, the tools of the lab that is shown, tour, keys, theme. */
import { ActionIcon, Badge, Button, Group, Text, Title, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconKeyboard, IconMoon, IconRoute, IconSun } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import type { AdapterDescription } from '../diffusion/backend'
import { activeLab, type LabName } from '../store/route'
import { formatGflops } from './format'
import classes from './header.module.css'
import { labLink } from './labLink'
import { labDescriptions, labOrder } from './labNames'
import { useScheme } from './useColours'

interface HeaderProps {
  readonly lab: LabName
  readonly tools: ReactNode
  readonly onHelp: () => void
}

export function Header({ lab, tools, onHelp }: HeaderProps) {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useScheme()
  const other = scheme === 'dark' ? 'light' : 'dark'
  const { go, setTour } = activeLab.getState()
  const touring = useStore(activeLab, (route) => route.tour !== null)
  return (
    <header className={classes.header}>
      <div className={classes.title}>
        <Group gap="lg" wrap="nowrap" className={classes.names}>
          <Title order={1} size="h4" className={classes.name}>
            <Mark /> DiEM Playground
          </Title>
          <nav aria-label="Labs" className={classes.labs}>
            {labOrder.map((each) => {
              const { name } = labDescriptions[each]
              return (
                <a
                  key={each}
                  {...labLink(each, go)}
                  className={classes.lab}
                  aria-current={each === lab ? 'page' : undefined}
                  data-testid={`lab-${each}`}
                >
                  {name}
                </a>
              )
            })}
          </nav>
        </Group>
        <Text size="sm" c="dimmed" className={classes.sentence}>
          {labDescriptions[lab].sentence}
        </Text>
      </div>
      <Group gap="sm" className={classes.tools}>
        {tools}
        <Group gap={2}>
          <Tooltip label="Six steps through the labs, in the order of the paper’s argument">
            <Button
              variant="subtle"
              size="xs"
              leftSection={<IconRoute size={18} />}
              aria-pressed={touring}
              onClick={() => (touring ? setTour(null) : setTour(1))}
              data-testid="tour"
            >
              Tour
            </Button>
          </Tooltip>
          <Tooltip label="Keys">
            <ActionIcon variant="subtle" aria-label="Keyboard shortcuts" onClick={onHelp} data-testid="help">
              <IconKeyboard size={20} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={`Switch to the ${other} theme`}>
            <ActionIcon
              variant="subtle"
              aria-label={`Switch to the ${other} theme`}
              onClick={() => setColorScheme(other)}
              data-testid="theme"
            >
              {scheme === 'dark' ? <IconSun size={20} /> : <IconMoon size={20} />}
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
    </header>
  )
}

interface AdapterProps {
  readonly adapter: AdapterDescription | null
  readonly gflops?: number | undefined
}

/** The computing device, and what it achieves at the moment. */
export function Adapter({ adapter, gflops }: AdapterProps) {
  return (
    <Tooltip label="The device that computes, and the floating-point operations a second that the algorithm achieves on it">
      <Text component="div" size="xs" className={classes.adapter} data-testid="adapter" tabIndex={0}>
        {adapter && (
          <Badge size="xs" variant="default" radius="sm" tt="none">
            {adapter.kind === 'webgpu' ? 'WebGPU' : 'CPU'}
          </Badge>
        )}
        <span className={classes.adapterName}>{adapter?.name ?? 'looking for a device…'}</span>
        {gflops !== undefined && gflops >= 0.05 && (
          <span className={classes.gflops}>{formatGflops(gflops)}</span>
        )}
      </Text>
    </Tooltip>
  )
}

/** A curve and its shadow. */
function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden style={{ verticalAlign: -4, marginRight: 4 }}>
      <path
        d="M5 13C8 2 14 4 16 10s8 8 11-3"
        fill="none"
        stroke="var(--mark-curve)"
        strokeWidth="3.4"
        strokeLinecap="round"
      />
      <path
        d="M5 26h22"
        stroke="var(--mark-shadow)"
        strokeWidth="3.4"
        strokeLinecap="round"
        strokeDasharray="1 5.2"
      />
    </svg>
  )
}
