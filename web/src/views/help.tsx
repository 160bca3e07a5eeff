import { useEffect, useRef } from 'preact/hooks'
import { helpOpen, keyTables } from '../state/keys.ts'
import { keysEnabled } from '../state/settings.ts'
import { Icon } from './icons.tsx'

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = helpOpen.value
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} class="help" aria-label="Keys" onClose={() => (helpOpen.value = false)}>
      <header>
        <h2>Keys</h2>
        <button class="icon-button" title="Close (Esc)" onClick={() => (helpOpen.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      {isOpen && (
        <div class="help-tables">
          {keyTables().map(({ title, bindings }) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {bindings.map(({ label, does }) => (
                  <div key={label}>
                    <dt>
                      {label.split(' ').map((key) => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={keysEnabled.value}
          onChange={({ currentTarget }) => (keysEnabled.value = currentTarget.checked)}
        />
        Single keys act on the page
      </label>
    </dialog>
  )
}
