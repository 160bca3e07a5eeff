/** The log in local files, alone and as the partitions of a larger one, against the contract of logs. */
import { PartitionedLog } from '../support/partitioned-log.ts'
import { openLog } from '../support/temporary-log.ts'
import { testLog } from './log.ts'

testLog('local log', (dir) => openLog(dir))
testLog('partitioned log', (dir) => PartitionedLog.open(dir, 3))
