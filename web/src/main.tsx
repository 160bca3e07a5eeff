import { render } from 'preact'
import './style/base.css'
import './style/shell.css'
import './style/explore.css'
import './style/trace.css'
import { startExplore } from './state/explore.ts'
import { startKeys } from './state/keys.ts'
import { startLocation } from './state/location.ts'
import { startTheme } from './state/settings.ts'
import { App } from './views/app.tsx'

startTheme()
startLocation()
startKeys()
startExplore()
render(<App />, document.getElementById('app')!)
