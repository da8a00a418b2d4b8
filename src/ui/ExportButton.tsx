/** The header's export button. Its menu is loaded after the first view, or when the button is first pressed. */
import { Button, type ButtonProps } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useEffect, useState, type ComponentPropsWithRef, type ComponentType } from 'react'
import type { ExportFailure } from './exportFailure'
import { loadLater } from './firstView'

type ExportButtonProps = ButtonProps & ComponentPropsWithRef<'button'>

export function ExportButton(props: ExportButtonProps) {
  return (
    <Button
      variant="default"
      size="xs"
      rightSection={<IconChevronDown size={14} />}
      aria-haspopup="menu"
      data-testid="export-menu"
      {...props}
    />
  )
}

export interface ExportMenuOptions {
  /** Of its button. */
  readonly label?: string
  /** Its button was pressed before it was there. */
  readonly defaultOpened?: boolean
  readonly onFailure: ExportFailure
}

/** A menu behind an export button, which stands in its place until it is there. */
export function lazyMenu<Props extends ExportMenuOptions>(load: () => Promise<ComponentType<Props>>) {
  let loaded: ComponentType<Props> | null = null
  const once = async () => {
    loaded ??= await load()
  }
  return function LazyMenu(props: Props) {
    const [, setReady] = useState(loaded !== null)
    const [pressed, setPressed] = useState(false)
    useEffect(() => {
      if (!loaded) loadLater(() => once().then(() => setReady(true)))
    }, [])
    const Menu = loaded
    if (Menu) return <Menu {...props} defaultOpened={pressed} />
    const press = () => {
      setPressed(true)
      once().then(
        () => setReady(true),
        (error: unknown) => {
          setPressed(false)
          props.onFailure('The menu could not be loaded', error)
        },
      )
    }
    return (
      <ExportButton loading={pressed} onClick={press}>
        {props.label ?? 'Export'}
      </ExportButton>
    )
  }
}
