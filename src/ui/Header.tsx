/** Name, labs, device, comparison, export, theme. */
import { ActionIcon, Badge, Group, Switch, Text, Title, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconKeyboard, IconMoon, IconSun } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { formatGflops } from './format'
import classes from './header.module.css'
import { useComparing, useLabs } from './labs'
import { useScheme } from './useColours'

const LABS = [
  { name: 'Manifold', href: '#', coming: undefined },
  { name: 'Posterior', href: undefined, coming: 'Posterior samplers side by side: not built yet.' },
  { name: 'Images', href: undefined, coming: 'Inpainting, deblurring and more on images: not built yet.' },
] as const

export function Header({ tools, onHelp }: { tools: ReactNode; onHelp: () => void }) {
  const { compare, hidden } = useLabs()
  const comparing = useComparing()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useScheme()
  const other = scheme === 'dark' ? 'light' : 'dark'
  return (
    <header className={classes.header}>
      <div className={classes.title}>
        <Group gap="lg" wrap="nowrap" className={classes.names}>
          <Title order={1} size="h4" className={classes.name}>
            <Mark /> DiEM Playground
          </Title>
          <nav aria-label="Labs" className={classes.labs}>
            {LABS.map(({ name, coming }) =>
              coming ? (
                <Tooltip key={name} label={coming}>
                  <Text size="sm" c="dimmed" className={classes.coming} tabIndex={0}>
                    {name} <span className={classes.soon}>coming</span>
                  </Text>
                </Tooltip>
              ) : (
                <Text key={name} size="sm" fw={600} aria-current="page" className={classes.current}>
                  {name}
                </Text>
              ),
            )}
          </nav>
        </Group>
        <Text size="sm" c="dimmed" className={classes.sentence}>
          Learn where the points live, having seen only their shadows.
        </Text>
      </div>
      <Group gap="sm" className={classes.tools}>
        <Adapter />
        <Switch
          size="sm"
          label="Compare two runs"
          checked={comparing}
          onChange={(event) => compare.getState().setEnabled(event.currentTarget.checked)}
          data-testid="compare"
        />
        {!hidden.has('export') && tools}
        <Group gap={2}>
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

/** The computing device, and what it achieves at the moment. */
function Adapter() {
  const { a } = useLabs()
  const adapter = useStore(a, (state) => state.adapter)
  const gflops = useStore(a, (state) => state.progress?.gflops)
  return (
    <Tooltip label="The device that computes, and the floating-point operations a second that the algorithm achieves on it">
      <Text size="xs" className={classes.adapter} data-testid="adapter" tabIndex={0}>
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
